package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// The scripts do to a counter, a record and a lease what the product's do.
const (
	limitScript = `
local n = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {n, left}`

	leaseScript = `
local record = redis.call('GET', KEYS[1])
if not record then return {0} end
local lease = redis.call('GET', KEYS[2])
if lease and string.sub(lease, 1, 16) ~= ARGV[1] then return {1} end
redis.call('SET', KEYS[2], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return {2, record}`

	saveScript = `
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
if redis.call('GETRANGE', KEYS[2], 0, 15) ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('DEL', KEYS[2])
return 1`
)

const (
	leaseMS  = 15_000
	recordMS = 900_000
	windowMS = 60_000
)

// server answers with bodies made beforehand.
type server struct {
	redis             *redis.Client
	limit, take, save *redis.Script
	acted, read       []byte
}

func serve(args []string) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:0", "address")
	addr := f.String("redis", "127.0.0.1:6379", "address of Redis")
	pool := f.Int("pool", 50, "connections to Redis")
	record := f.Int("record", 600, "bytes of one record")
	flows := f.Int("flows", 64, "records to write before serving")
	acted := f.Int("acted", 1500, "bytes of the answer to an action, with its headers")
	read := f.Int("read", 1500, "bytes of the answer to a read, with its headers")
	if err := f.Parse(args); err != nil {
		return err
	}
	const short = 300 * time.Millisecond
	s := &server{
		redis: redis.NewClient(&redis.Options{
			Addr: *addr, Protocol: 2, DisableIdentity: true, PoolSize: *pool, MaxRetries: -1, DialerRetries: 1,
			DialTimeout: short, ReadTimeout: short, WriteTimeout: short, PoolTimeout: short,
		}),
		limit: redis.NewScript(limitScript), take: redis.NewScript(leaseScript), save: redis.NewScript(saveScript),
		acted: bodyOf(*acted), read: bodyOf(*read),
	}
	if err := s.prepare(context.Background(), *flows, *record); err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/:env/flows/:id", s.view)
	app.Post("/:env/flows/:id", s.act)
	ln, err := net.Listen("tcp4", *listen)
	if err != nil {
		return err
	}
	return app.Listener(ln)
}

// bodyOf is the body that makes an answer that many bytes long.
func bodyOf(answer int) []byte {
	const head = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: application/hal+json\r\nContent-Length: 1234\r\n\r\n"
	return bytes.Repeat([]byte("x"), max(answer-len(head), 0))
}

// prepare loads the scripts and writes the records 0 to n-1.
func (s *server) prepare(ctx context.Context, n, size int) error {
	for _, script := range []*redis.Script{s.limit, s.take, s.save} {
		if err := script.Load(ctx, s.redis).Err(); err != nil {
			return err
		}
	}
	value := bytes.Repeat([]byte{'r'}, max(size, 8))
	binary.BigEndian.PutUint64(value, 1)
	for i := range n {
		if err := s.redis.Set(ctx, recordKey(fmt.Sprint(i)), value, recordMS*time.Millisecond).Err(); err != nil {
			return err
		}
	}
	return nil
}

func recordKey(id string) string { return "bare:{" + id + "}" }

// view is one GET.
func (s *server) view(c *fiber.Ctx) error {
	if err := s.redis.Get(context.Background(), recordKey(c.Params("id"))).Err(); err != nil {
		return err
	}
	return answer(c, s.read)
}

// act is two batches: limit with lease and load, then save and release.
func (s *server) act(c *fiber.Ctx) error {
	ctx := context.Background()
	holder, submit := make([]byte, 16), make([]byte, 32)
	_, _ = rand.Read(holder) // never fails
	key := recordKey(c.Params("id"))
	keys := []string{key, "l" + key}

	p := s.redis.Pipeline()
	p.EvalSha(ctx, s.limit.Hash(), []string{"bare:limit"}, windowMS)
	taken := p.EvalSha(ctx, s.take.Hash(), keys, holder, submit, leaseMS)
	if _, err := p.Exec(ctx); err != nil {
		return err
	}
	parts, err := taken.Slice()
	if err != nil || len(parts) != 2 {
		return fiber.ErrConflict
	}
	was, _ := parts[1].(string)
	next := []byte(was)
	binary.BigEndian.PutUint64(next, binary.BigEndian.Uint64(next)+1)

	p = s.redis.Pipeline()
	saved := p.EvalSha(ctx, s.save.Hash(), keys, was[:8], holder, next, recordMS)
	if _, err := p.Exec(ctx); err != nil {
		return err
	}
	if n, err := saved.Int(); err != nil || n != 1 {
		return fiber.ErrConflict
	}
	return answer(c, s.acted)
}

func answer(c *fiber.Ctx, body []byte) error {
	c.Response().Header.SetContentType("application/hal+json")
	return c.Send(body)
}
