package main

import (
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// hash computes argon2id on every worker until the time is up and prints hashes
// per second, the sum of what each worker did until its own last one. The
// parameters are the product's: 19 MiB, two passes, one lane.
func hash(args []string, out io.Writer) error {
	f := flag.NewFlagSet("hash", flag.ContinueOnError)
	workers := f.Int("workers", 2, "hashes at the same time")
	length := f.Duration("for", 2*time.Second, "how long")
	if err := f.Parse(args); err != nil {
		return err
	}
	var all sync.WaitGroup
	rates := make([]float64, *workers)
	for i := range rates {
		all.Go(func() {
			start, n := time.Now(), 0
			for ; time.Since(start) < *length; n++ {
				argon2.IDKey([]byte("Correct-Horse-9"), []byte("0123456789abcdef"), 2, 19*1024, 1, 32)
			}
			rates[i] = float64(n) / time.Since(start).Seconds()
		})
	}
	all.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	_, err := fmt.Fprintf(out, "%.4f\n", sum)
	return err
}
