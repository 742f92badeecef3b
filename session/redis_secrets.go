package session

import (
	"context"
	"time"
)

func secretKey(name string) string { return key("o", identify("o", name)) }

// PutSecret keeps the hash of a one-time secret for ttl. At most tries uses of it
// are compared; an earlier secret of that name is void.
func (r *Redis) PutSecret(ctx context.Context, name string, hash [32]byte, tries int, ttl time.Duration) error {
	return r.run(ctx, call(ctx, r.scripts.keep, []string{secretKey(name)}, hash[:], tries, max(1, ttl.Milliseconds())))
}

// UseSecret compares hash with the secret of that name. A try is counted before it
// is compared, and the right one uses the secret up. effect is flow.Turn.Effect of
// the submit that tries: its repeat gets the same verdict and is not counted. A
// secret that was kept before the master changed is Void.
func (r *Redis) UseSecret(ctx context.Context, name string, hash [32]byte, effect string) (Verdict, error) {
	t := try(effect, hash)
	cmd, err := r.sure(ctx, r.scripts.use, []string{secretKey(name)}, hash[:], t[:], usedFor.Milliseconds())
	if err != nil {
		return Verdict{}, err
	}
	answer, err := cmd.Int64Slice()
	if err != nil || len(answer) != 2 {
		return Verdict{}, errDamaged
	}
	switch answer[0] {
	case int64(OK):
		return Verdict{Outcome: OK}, nil
	case int64(Wrong):
		return Verdict{Outcome: Wrong, Left: int(answer[1])}, nil
	}
	return Verdict{}, nil
}
