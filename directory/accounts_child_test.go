package directory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorward/directory"
	"doorward/keys"
)

// watchful is a key ring that counts the wrong codes it is shown.
type watchful struct {
	*keys.Ring
	wrong atomic.Int64
}

func (w *watchful) Matches(purpose string, sum [32]byte, parts ...string) bool {
	ok := w.Ring.Matches(purpose, sum, parts...)
	if !ok {
		w.wrong.Add(1)
	}
	return ok
}

func newAccounts(db *directory.DB, ring directory.Ring) *directory.Accounts {
	return directory.NewAccounts(db, directory.NewHasher(cheap(), 4, time.Now), ring, lock5, time.Now)
}

// tryCodes tries the codes that the environment names, all at once. It prints what
// each came to, and then how many wrong ones were compared.
func tryCodes(db *directory.DB) error {
	ring := &watchful{Ring: newRing()}
	accounts := newAccounts(db, ring)
	tries := strings.Fields(os.Getenv("DIRECTORY_CODES"))
	await()
	var out sync.Mutex
	var wg sync.WaitGroup
	errs := make([]error, len(tries))
	for n, code := range tries {
		wg.Go(func() {
			var got directory.Changed
			errs[n] = patiently(func() (err error) {
				got, err = accounts.Recover(context.Background(), directory.Recovering{
					Env: env, Username: "ada", Code: code, Password: newPassword, Effect: fmt.Sprint(os.Getpid(), "/", n),
				})
				return err
			})
			out.Lock()
			defer out.Unlock()
			fmt.Println(got.Result)
		})
	}
	wg.Wait()
	fmt.Println("compared", ring.wrong.Load())
	return errors.Join(errs...)
}

// codeRace is what two processes try at once of one code.
type codeRace struct {
	before, wrong, right int // wrong ones before, and of each process
	done                 int // most that may come of it
}

func TestTwoProcessesCompareFiveCodes(t *testing.T) {
	t.Parallel()
	for name, race := range map[string]codeRace{
		"wrong ones":                      {wrong: 25},
		"right ones":                      {right: 25, done: 1},
		"right ones after four wrong":     {before: 4, right: 25, done: 1},
		"right ones after five wrong":     {before: 5, right: 25},
		"right ones among the wrong ones": {wrong: 20, right: 5, done: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onMade(t, func(t *testing.T, path string) {
				t.Helper()
				testCodeRace(t, path, race)
			})
		})
	}
}

func testCodeRace(t *testing.T, path string, race codeRace) {
	t.Helper()
	const wrong = "22222222"
	db := openAt(t, path, directory.Options{})
	users := directory.NewUsers(db, directory.NewHasher(cheap(), 1, time.Now), time.Now)
	if _, err := users.Create(t.Context(), directory.User{Env: env, Username: "ada", Email: "ada@example.com", Enabled: true}, oldPassword, ""); err != nil {
		t.Fatal(err)
	}
	accounts := newAccounts(db, newRing())
	if _, err := accounts.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "ada"}); err != nil {
		t.Fatal(err)
	}
	mail, err := directory.NewOutbox(db, newRing(), time.Now).Claim(t.Context(), 1, time.Hour, nil)
	if err != nil || len(mail) != 1 {
		t.Fatal(mail, err)
	}
	for range race.before {
		if got, err := accounts.Recover(t.Context(), directory.Recovering{Env: env, Username: "ada", Code: wrong}); err != nil || got.Result != directory.WrongCode {
			t.Fatal(got, err)
		}
	}
	code := mail[0].Params["code"]
	results, compared := map[string]int{}, race.before
	both := bothDo(t, "recover", path, "DIRECTORY_CODES="+strings.Repeat(wrong+" ", race.wrong)+strings.Repeat(code+" ", race.right))
	for _, line := range append(both[0], both[1]...) {
		result, n, _ := strings.Cut(line, " ")
		results[result]++
		if more, err := strconv.Atoi(n); err == nil {
			compared += more
		}
	}
	t.Logf("%v, %d wrong codes were compared", results, compared)
	done := results[string(directory.Done)]
	if compared > 5 || done > race.done || race.wrong == 0 && done != race.done || race.right == 0 && compared != 5 {
		t.Errorf("%v, %d wrong codes were compared", results, compared)
	}
	var tries int
	if err := db.Reader().QueryRow(`SELECT tries FROM secret_codes`).Scan(&tries); err != nil || race.right == 0 && tries != 2*race.wrong {
		t.Errorf("%d tries were counted, %v", tries, err)
	}
	got, err := accounts.Recover(t.Context(), directory.Recovering{Env: env, Username: "ada", Code: code, Password: newPassword})
	if err != nil || got.Result != directory.WrongCode {
		t.Errorf("the right code afterwards: %+v %v", got, err)
	}
}

// claimAll prints what it claims, until nothing is left.
func claimAll(db *directory.DB) error {
	outbox := directory.NewOutbox(db, newRing(), time.Now)
	await()
	for {
		n := 0
		err := patiently(func() error {
			got, err := outbox.Claim(context.Background(), 7, time.Hour, nil)
			n = len(got)
			for _, m := range got {
				fmt.Println(m.ID)
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

func TestTwoProcessesClaimAMessageOnce(t *testing.T) {
	t.Parallel()
	onMade(t, testClaimsOfTwoProcesses)
}

func testClaimsOfTwoProcesses(t *testing.T, path string) {
	t.Helper()
	db := openAt(t, path, directory.Options{})
	accounts := newAccounts(db, newRing())
	const messages = 300
	for n := range messages {
		if _, err := accounts.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: fmt.Sprint("name", n)}); err != nil {
			t.Fatal(err)
		}
	}
	both := bothDo(t, "claim", path)
	t.Logf("%d and %d messages", len(both[0]), len(both[1]))
	times := map[string]int{}
	for _, id := range append(both[0], both[1]...) {
		times[id]++
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("message %s was claimed %d times", id, n)
		}
	}
	if len(times) != messages {
		t.Errorf("%d of %d messages were claimed", len(times), messages)
	}
}

// mailedCanaries has mails written whose contents must not be found anywhere.
func mailedCanaries(t *testing.T, db *directory.DB) [][]byte {
	t.Helper()
	accounts := newAccounts(db, newRing())
	for _, r := range []directory.Registration{
		{Username: "registered", Email: "registered@example.com", Password: "canary-registered"},
		{Username: "ada", Email: "canary-typed@example.com", Password: "canary-refused"},
	} {
		r.Env = env
		if _, err := accounts.Register(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := accounts.StartRecovery(t.Context(), directory.Recovery{Env: env, Username: "canary-forgot"}); err != nil {
		t.Fatal(err)
	}
	mail, err := directory.NewOutbox(db, newRing(), time.Now).Claim(t.Context(), 9, time.Hour, nil)
	if err != nil || len(mail) != 3 {
		t.Fatal(mail, err)
	}
	canaries := [][]byte{[]byte("canary-registered"), []byte("canary-refused"), []byte("canary-typed"), []byte("canary-forgot")}
	for _, m := range mail {
		if code := m.Params["code"]; code != "" {
			canaries = append(canaries, []byte(code))
		}
	}
	if len(canaries) != 6 {
		t.Fatalf("%d codes", len(canaries)-4)
	}
	return canaries
}
