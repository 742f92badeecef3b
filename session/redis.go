package session

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"doorward/runtime/flow"
)

// Redis keeps executions, sessions, counters and secrets in Redis 7 or later: one
// server, a master found through Sentinels, or a cluster. Make one with Open. It
// implements engine.Executions and engine.Sessions.
type Redis struct {
	rdb     redis.UniversalClient
	cluster bool
	scripts scripts
	now     func() time.Time
	risky   bool // AcceptLoss
	road    road
	later   *later

	mu      sync.Mutex
	checked time.Time // when the settings were last found safe
}

// Close ends the connections.
func (r *Redis) Close() error {
	r.later.close()
	return r.rdb.Close() //nolint:wrapcheck // says it all
}

// key is the kind's letter and the name, of which a cluster hashes the name.
func key(kind string, name id) string {
	var b [32]byte
	out := append(b[:0], kind...)
	out = append(out, ':', '{')
	out = base64.RawURLEncoding.AppendEncode(out, name[:])
	return string(append(out, '}'))
}

func recordKey(ref flow.Ref) string                { return key("x", ofRef(ref)) }
func limitKey(l flow.Limit) string                 { return key("r", ofLimit(l)) }
func indexKey(env, session string) string          { return key("i", ofSessionID(env, session)) }
func userKey(env, user string) string              { return key("u", ofUser(env, user)) }
func sessionKey(env string, st flow.Digest) string { return key("s", ofSession(env, st)) }

// keysOf are those of an execution and of its lease.
func keysOf(ref flow.Ref) (record, lease string) {
	name := ofRef(ref)
	return key("x", name), key("l", name)
}

// Create stores a new execution, and counts limits in the same batch: a passed
// one is a *flow.LimitError and leaves nothing behind.
func (r *Redis) Create(ctx context.Context, x *flow.Execution, limits []flow.Limit) error {
	b, err := encode(x, id{})
	if err != nil {
		return err
	}
	counts := r.counts(ctx, limits)
	write := redis.NewCmd(ctx, "set", recordKey(x.Ref), b, "px", r.left(x.ExpiresAt), "nx")
	err = r.run(ctx, append(counts, write)...)
	if errors.Is(write.Err(), redis.Nil) {
		return fmt.Errorf("execution %s exists", x.Ref.ID)
	}
	if passed := judge(limits, counts); passed != nil {
		err = passed
	}
	if err != nil && write.Err() == nil {
		r.undo(ctx, redis.NewCmd(ctx, "unlink", recordKey(x.Ref)))
	}
	return err
}

// Load reads an execution and the session under a cookie digest. A session that
// was found is returned also with flow.ErrUnknown.
func (r *Redis) Load(ctx context.Context, ref flow.Ref, st flow.Digest) (*flow.Execution, *flow.Session, error) {
	fence := r.fence(ctx)
	record := redis.NewCmd(ctx, "getrange", recordKey(ref), 0, maxRecord)
	look := r.look(ctx, ref.Env, st)
	err := r.run(ctx, join(fence, record, look)...)
	if err == nil {
		err = master(fence)
	}
	return r.loaded(ref, err, record, record.Val(), look)
}

// Acquire counts limits, takes the lease for c.Holder and reads what Load reads.
// While another holds it: *flow.HeldError. With every error the lease is not, or
// no longer, the caller's.
func (r *Redis) Acquire(ctx context.Context, ref flow.Ref, c flow.Claim, limits []flow.Limit) (*flow.Execution, *flow.Session, error) {
	holder := ofHolder(c.Holder)
	counts := r.counts(ctx, limits)
	recordKey, leaseKey := keysOf(ref)
	take := redis.NewCmd(ctx, "set", leaseKey, append(holder[:], c.Submit[:]...), "nx", "get", "px", flow.LeaseTime.Milliseconds())
	record := redis.NewCmd(ctx, "getrange", recordKey, 0, maxRecord)
	look := r.look(ctx, ref.Env, c.Session)
	err := r.run(ctx, join(counts, take, record, look)...)
	if passed := judge(limits, counts); passed != nil {
		err = passed
	}
	lease, _ := take.Val().(string) // that was there
	held := lease != "" && !strings.HasPrefix(lease, string(holder[:]))
	if err == nil && held && record.Val() != "" {
		other := &flow.HeldError{}
		copy(other.Submit[:], lease[min(len(holder), len(lease)):])
		err = other
	}
	x, s, err := r.loaded(ref, err, record, record.Val(), look)
	if err != nil && !held {
		r.undo(ctx, r.release(ctx, ref, c.Holder))
	}
	return x, s, err
}

// loaded turns the answers of Load, Acquire and Resume into what they return.
func (r *Redis) loaded(ref flow.Ref, err error, record *redis.Cmd, value any, look *redis.Cmd) (*flow.Execution, *flow.Session, error) {
	if err != nil && redis.HasErrorPrefix(record.Err(), "WRONGTYPE") {
		return nil, nil, fmt.Errorf("%w: execution: %w", flow.ErrUnknown, errDamaged)
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := r.found(look)
	if err != nil {
		return nil, nil, err
	}
	b, _ := value.(string)
	if b == "" {
		return nil, s, flow.ErrUnknown
	}
	x, err := decode(ref, []byte(b), r.now())
	return x, s, err
}

// Save replaces the execution, whose Version the caller has raised by one, and
// gives the lease back. It needs the version before and the lease: flow.ErrLost
// without either. When the answer is lost it asks once more.
func (r *Redis) Save(ctx context.Context, x *flow.Execution, holder string) error {
	b, err := encode(x, ofHolder(holder))
	if err != nil {
		return err
	}
	var before [8]byte
	binary.BigEndian.PutUint64(before[:], x.Version-1)
	recordKey, leaseKey := keysOf(x.Ref)
	cmd, err := r.sure(ctx, r.scripts.save, []string{recordKey, leaseKey}, before[:], b, r.left(x.ExpiresAt))
	if err != nil {
		return err
	}
	if n, _ := cmd.Int(); n != 1 {
		return flow.ErrLost
	}
	return nil
}

// Release gives the lease back without a save, now or, when it fails, once the
// server answers. One that is not the holder's stays.
func (r *Redis) Release(ctx context.Context, ref flow.Ref, holder string) error {
	cmd := r.release(ctx, ref, holder)
	err := r.run(ctx, cmd)
	if err != nil && !answered(err) {
		r.later.add(cmd) //nolint:contextcheck // it is sent later, when ctx has ended
	}
	return err
}

func (r *Redis) release(ctx context.Context, ref flow.Ref, holder string) *redis.Cmd {
	h := ofHolder(holder)
	_, leaseKey := keysOf(ref)
	return call(ctx, r.scripts.release, []string{leaseKey}, h[:])
}

// Resume reads what Load reads. A terminal execution of this binding is marked
// the first time and can be resumed again for flow.ResumedLife; every other one is
// returned as it is, for the engine to judge.
func (r *Redis) Resume(ctx context.Context, ref flow.Ref, binding, st flow.Digest) (*flow.Execution, *flow.Session, error) {
	match := binding[:]
	if binding.IsZero() {
		match = nil // the zero Digest matches nothing
	}
	fence := r.fence(ctx)
	mark := call(ctx, r.scripts.resume, []string{recordKey(ref)}, match, flow.ResumedLife.Milliseconds(), maxRecord)
	look := r.look(ctx, ref.Env, st)
	err := r.run(ctx, join(fence, mark, look)...)
	if err == nil {
		err = master(fence)
	}
	return r.loaded(ref, err, mark, mark.Val(), look)
}

// counts are the commands that count limits, each in a fixed window that begins with
// its first count. Plain commands cost the server less than a script does; where it ends
// between two of them, the next count sets the window's end.
func (r *Redis) counts(ctx context.Context, limits []flow.Limit) []*redis.Cmd {
	cmds := make([]*redis.Cmd, 0, countCommands*len(limits)+4)
	for _, l := range limits {
		k := limitKey(l)
		cmds = append(cmds, redis.NewCmd(ctx, "incr", k),
			redis.NewCmd(ctx, "pexpire", k, max(1, l.Window.Milliseconds()), "nx"),
			redis.NewCmd(ctx, "pttl", k))
	}
	return cmds
}

// countCommands is how many commands count one limit.
const countCommands = 3

// judge returns a *flow.LimitError for the first limit that was passed. A limit
// that could not be counted is an error of the batch already.
func judge(limits []flow.Limit, counts []*redis.Cmd) error {
	for i, l := range limits {
		n, err := counts[countCommands*i].Int64()
		left, failed := counts[countCommands*i+2].Int64()
		if err == nil && failed == nil && n > int64(l.Max) {
			return &flow.LimitError{Limit: l, RetryAfter: seconds(time.Duration(left) * time.Millisecond)}
		}
	}
	return nil
}

// seconds rounds up, to one at least.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// left is the time until t in milliseconds, at least one.
func (r *Redis) left(t time.Time) int64 { return max(1, t.Sub(r.now()).Milliseconds()) }

// undo takes back what a refused batch has done, now or once the server answers.
func (r *Redis) undo(ctx context.Context, cmd *redis.Cmd) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), againTime)
	defer cancel()
	if err := r.run(ctx, cmd); err != nil && !answered(err) {
		r.later.add(cmd) //nolint:contextcheck // it is sent later, when ctx has ended
	}
}

// join makes one batch; a nil command is none.
func join(first []*redis.Cmd, rest ...*redis.Cmd) []*redis.Cmd {
	for _, c := range rest {
		if c != nil {
			first = append(first, c)
		}
	}
	return first
}
