package directory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"doorward/directory"
	"doorward/runtime/flow"
	"doorward/runtime/passwordpolicy"
)

// child is what a child process does.
func child(role, path string) error {
	if role == "full" {
		return fillDisk(path)
	}
	if role == "open" {
		await()
	}
	db, err := directory.Open(context.Background(), directory.Options{Path: path, Now: time.Now, Patience: patient})
	if err != nil {
		return err
	}
	defer db.Close()
	switch role {
	case "open":
		fmt.Println("opened")
	case "write":
		return writeForEver(db)
	case "hold":
		return holdLock(db)
	case "redeem":
		return redeemAll(db)
	case "guess":
		return guess(db)
	case "recover":
		return tryCodes(db)
	case "claim":
		return claimAll(db)
	case "ensure":
		await()
		signing := directory.NewSigningKeys(db, newRing(), time.Now)
		err := patiently(func() error { _, err := signing.Ensure(context.Background(), env, "ES256"); return err })
		if err != nil {
			return err
		}
		k, err := signing.Active(context.Background(), env, "ES256")
		if err != nil {
			return err
		}
		fmt.Println(k.ID)
	}
	return nil
}

// writeForEver prints the name of each row once its write is acknowledged, and
// "busy" when it was refused.
func writeForEver(db *directory.DB) error {
	var out sync.Mutex
	for w := range 8 {
		go func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, n)
				if err := putRow(db, id, time.Now().Add(time.Hour), 100); err != nil {
					id = "busy"
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		}()
	}
	select {}
}

// holdLock keeps the file to itself for a second.
func holdLock(db *directory.DB) error {
	return db.Write(context.Background(), func(context.Context, *sql.Tx) error {
		await()
		time.Sleep(time.Second)
		return nil
	})
}

// patiently asks again while the other process keeps the file for too long, or
// the server is slow to answer, as may be on a busy machine.
func patiently(fn func() error) (err error) {
	for range 20 {
		if err = fn(); err == nil || !strings.Contains(err.Error(), "SQLITE_BUSY") && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	return err
}

const raceCodes = 60

func redeemAll(db *directory.DB) error {
	codes := directory.NewCodes(db, time.Now)
	await()
	var wg sync.WaitGroup
	errs := make([]error, 4)
	var out sync.Mutex
	for w := range errs {
		wg.Go(func() {
			for n := range raceCodes {
				var r directory.Redemption
				errs[w] = patiently(func() (err error) {
					_, r, err = codes.Redeem(context.Background(), env, flow.Sum(fmt.Sprint("code", n)))
					return err
				})
				if errs[w] != nil {
					return
				}
				out.Lock()
				fmt.Println(n, r)
				out.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// guess tries wrong passwords for a name that is nobody's.
func guess(db *directory.DB) error {
	p := directory.NewPasswords(db, directory.NewHasher(cheap(), 4, time.Now), newRing(), lock5, time.Now)
	await()
	for range 10 {
		var v directory.Verdict
		err := patiently(func() (err error) {
			v, err = p.Check(context.Background(), directory.Check{Env: env, Username: "nobody", Password: "x"})
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println(v.Result)
	}
	return nil
}

func lock5(string, string) passwordpolicy.Policy { return lockAfter(5, 15*time.Minute) }

func lockAfter(failures int, d time.Duration) (p passwordpolicy.Policy) {
	p.Lockout.Failures, p.Lockout.Duration = failures, d
	return p
}
