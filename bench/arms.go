package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// arm is one thing to measure; all arms take turns.
type arm struct {
	name string
	once bool // does not vary: measured in the first round alone
	run  func(ctx context.Context) (window, error)
}

// The arms that rows name.
const (
	flowMemory    = "Redis memory of a flow"
	binarySize    = "binary"
	startEmbedded = "start, embedded"
	startOnRedis  = "start, Redis"
	cheapTokens   = "sign-on to tokens, hash and signatures made cheap, 8 clients"
	allTokens     = "sign-on to tokens"
	allCodes      = "sign-on to a code"
	signatures    = "signatures of one sign-on"
	bareHash      = "bare argon2id"
	quiet         = "paced actions, nothing else"
	busy          = "paced actions, every worker hashing"
)

func stepOf(server string, clients int) string {
	return fmt.Sprintf("%s: action, %d clients", server, clients)
}

func readOf(server string, clients int) string {
	return fmt.Sprintf("%s: GET, %d clients", server, clients)
}

// hashers are enough clients to keep every hashing worker busy.
func hashers() int { return 4 * runtime.NumCPU() }

// arms lists what can be measured, neighbours being what is compared.
func (h *house) arms(length time.Duration) []arm {
	var list []arm
	add := func(name string, run func(context.Context) (window, error)) {
		list = append(list, arm{name: name, run: run})
	}
	for _, clients := range []int{8, mostClients} {
		for _, server := range []string{bareServer, onRedis, embedded} {
			add(stepOf(server, clients), h.load(server, clients, length, (*visitor).reset))
		}
		for _, server := range []string{bareServer, onRedis} {
			add(readOf(server, clients), h.load(server, clients, length, (*visitor).read))
		}
	}
	list = append(list, h.pageArms(length)...)
	add(cheapTokens, h.load(cheap, 8, length, (*visitor).tokens))
	add(signatures, h.signatures)
	add(bareHash, h.bareHash(2*length))
	add(allCodes, h.load(onRedis, hashers(), 2*length, func(v *visitor) error { _, err := v.signOn(); return err }))
	add(allTokens, h.load(onRedis, hashers(), 2*length, (*visitor).tokens))
	add(quiet, h.paced(length, 0))
	add(busy, h.paced(length, hashers()))
	add(startEmbedded, h.starts(node{name: "start", binary: h.bin.product, dir: h.dir}))
	add(startOnRedis, h.starts(node{name: "start-redis", binary: h.bin.product, dir: h.dir, redis: h.redis.addr}))
	list = append(list, h.oracleArms()...)
	list = append(list, definitionArms()...)
	list = append(list, outsideArms(length)...)
	list = append(list, factorArms()...)
	add(hanging, h.whileHanging(length))
	return append(list,
		arm{name: flowMemory, once: true, run: h.flowBytes},
		arm{name: binarySize, once: true, run: func(context.Context) (window, error) {
			s, err := os.Stat(h.bin.product)
			if err != nil {
				return window{}, err
			}
			return window{value: float64(s.Size()) / 1e6}, nil
		}})
}

// visitors are clients of a server, each in a flow of its own and, as far as there
// are users, somebody else.
func visitors(addr string, n int, bare bool) ([]*visitor, func(), error) {
	var list []*visitor
	leave := func() {
		for _, v := range list {
			_ = v.Close()
		}
	}
	for i := range n {
		v, err := visit(addr)
		if err != nil {
			return list, leave, err
		}
		list = append(list, v)
		v.user = userName(i % hashers())
		if bare { // as much to read as the product has
			v.flow, v.cookie, v.etag = "/"+environment+"/flows/"+strconv.Itoa(i), strings.Repeat("c", 43), `"`+strings.Repeat("e", 43)+`"`
			continue
		}
		if err := v.authorize(); err != nil {
			return list, leave, err
		}
	}
	return list, leave, nil
}

// load has clients do one thing in a closed loop, each after what brings it there.
func (h *house) load(server string, clients int, length time.Duration, do func(*visitor) error, first ...func(*visitor) error) func(context.Context) (window, error) {
	return func(ctx context.Context) (window, error) {
		on, err := h.server(ctx, server)
		if err != nil {
			return window{}, err
		}
		list, leave, err := visitors(on.server.addr, clients, server == bareServer)
		defer leave()
		if err != nil {
			return window{}, err
		}
		for _, v := range list {
			for _, come := range first {
				if err := come(v); err != nil {
					return window{}, err
				}
			}
		}
		return drive(each(list, do), length, on)
	}
}

func each(list []*visitor, do func(*visitor) error) []client {
	out := make([]client, 0, len(list))
	for _, v := range list {
		out = append(out, func() error { return do(v) })
	}
	return out
}

// paced has four clients submit an action each 20 ms, while others sign on.
func (h *house) paced(length time.Duration, signingOn int) func(context.Context) (window, error) {
	return func(ctx context.Context) (window, error) {
		on, err := h.server(ctx, onRedis)
		if err != nil {
			return window{}, err
		}
		acting, leave, err := visitors(on.server.addr, 4, false)
		defer leave()
		if err != nil {
			return window{}, err
		}
		others, leaveToo, err := visitors(on.server.addr, signingOn, false)
		defer leaveToo()
		if err != nil {
			return window{}, err
		}
		l := newLoop(each(others, func(v *visitor) error { _, err := v.signOn(); return err }))
		time.Sleep(settle)
		w, err := pace(each(acting, (*visitor).reset), 20*time.Millisecond, length)
		return w, l.end(err)
	}
}

// bareHash runs argon2id alone, in as many workers as cores, at the GOMAXPROCS
// that doorward gives itself.
func (h *house) bareHash(length time.Duration) func(context.Context) (window, error) {
	return func(ctx context.Context) (window, error) {
		cores := runtime.NumCPU()
		c := exec.CommandContext(ctx, h.bin.bare, "hash", "--workers", strconv.Itoa(cores), "--for", length.String())
		c.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(2*cores+2))
		b, err := c.Output()
		if err != nil {
			return window{}, err
		}
		rate, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
		cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		return window{rate: rate, server: float64(cpu.Microseconds()) / (rate * length.Seconds())}, err
	}
}

// starts measures starts on the data of some earlier sign-ons.
func (h *house) starts(n node) func(context.Context) (window, error) {
	return func(ctx context.Context) (window, error) {
		if _, err := os.Stat(filepath.Join(n.dir, n.name)); err != nil {
			p, err := n.start(ctx)
			if err != nil {
				return window{}, err
			}
			defer p.stop()
			list, leave, err := visitors(p.addr, 32, false)
			defer leave()
			if err != nil {
				return window{}, err
			}
			for _, v := range list[:8] {
				v.user = demoUser
				if err := v.tokens(); err != nil {
					return window{}, err
				}
			}
			p.stop()
		}
		return h.restart(ctx, n)
	}
}

// signatures is the CPU, in microseconds, of the signatures that one sign-on
// takes; other is that of signatures and hash made cheap.
func (h *house) signatures(ctx context.Context) (w window, err error) {
	if w.value, err = h.signaturesOf(ctx, onRedis); err != nil {
		return w, err
	}
	if w.other, err = h.signaturesOf(ctx, cheap); err != nil {
		return w, err
	}
	hash, err := costOf(func() error { argon2.IDKey([]byte(password), make([]byte, 16), 1, 8, 1, 32); return nil })
	w.other += hash
	return w, err
}

// signaturesOf reads from a server's tokens which signatures it makes.
func (h *house) signaturesOf(ctx context.Context, server string) (us float64, err error) {
	on, err := h.server(ctx, server)
	if err != nil {
		return 0, err
	}
	v, err := visit(on.server.addr)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	if err := v.tokens(); err != nil {
		return 0, err
	}
	algorithms, err := v.signed()
	if err == nil && len(algorithms) == 0 {
		err = fmt.Errorf("no signatures in %s", v.last.body)
	}
	for _, a := range algorithms {
		one, failed := signatureCost(a)
		us, err = us+one, errors.Join(err, failed)
	}
	return us, err
}

// signatureCost is the CPU of one signature, in microseconds.
func signatureCost(algorithm string) (float64, error) {
	var key crypto.Signer
	var err error
	options, digest := crypto.SignerOpts(crypto.SHA256), sha256.Sum256([]byte(algorithm))
	switch algorithm {
	case "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
		options = crypto.Hash(0)
	default:
		err = fmt.Errorf("no cost known of %q", algorithm)
	}
	if err != nil {
		return 0, err
	}
	return costOf(func() error { _, err := key.Sign(rand.Reader, digest[:], options); return err })
}

// costOf is the CPU that do takes, in microseconds.
func costOf(do func() error) (float64, error) {
	const times = 100
	before, err := ownCPU()
	for range times {
		err = errors.Join(err, do())
	}
	after, failed := ownCPU()
	return float64((after - before).Microseconds()) / times, errors.Join(err, failed)
}
