package redistest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/internal/porttest"

	"github.com/redis/go-redis/v9"
)

// MasterName is what the Sentinels call the master.
const MasterName = "doorward"

// Sentinel is a master and a replica watched by three Sentinels.
type Sentinel struct {
	Master, Replica *Server

	tb        testing.TB
	sentinels []*Server
}

// StartSentinel runs them and waits until every Sentinel knows the others and the
// replica, so that a failover can begin at once.
func StartSentinel(tb testing.TB) *Sentinel {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts Redis; make test runs it")
	}
	s := &Sentinel{tb: tb, Master: Start(tb)}
	host, port, _ := net.SplitHostPort(s.Master.Addr)
	s.Replica = Start(tb, "--replicaof", host+" "+port)
	for range 3 {
		s.sentinels = append(s.sentinels, startSentinel(tb, host, port))
	}
	for _, n := range s.sentinels {
		await(tb, "sentinel "+n.Addr, func(ctx context.Context) bool {
			m, err := n.client.Do(ctx, "sentinel", "master", MasterName).StringSlice()
			if err != nil {
				return false
			}
			state := strings.Join(m, " ")
			return strings.Contains(state, "num-other-sentinels 2") && strings.Contains(state, "num-slaves 1")
		})
	}
	s.synced()
	return s
}

func startSentinel(tb testing.TB, host, port string) *Server {
	tb.Helper()
	n := &Server{tb: tb, dir: tb.TempDir()}
	own := strconv.Itoa(porttest.Free(tb))
	n.Addr = net.JoinHostPort("127.0.0.1", own)
	n.args = []string{n.conf(fmt.Sprintf(
		"port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 2\nsentinel down-after-milliseconds %s 600\nsentinel failover-timeout %s 3000\n",
		own, n.dir, MasterName, host, port, MasterName, MasterName,
	)), "--sentinel"}
	n.client = redis.NewClient(&redis.Options{Addr: n.Addr, DialerRetries: 1, DisableIdentity: true, Protocol: 2})
	tb.Cleanup(func() {
		_ = n.client.Close()
		n.Kill()
	})
	n.Restart()
	return n
}

// URL is the address in the form that session.Open takes.
func (s *Sentinel) URL() string {
	addrs := make([]string, 0, len(s.sentinels))
	for _, n := range s.sentinels {
		addrs = append(addrs, n.Addr)
	}
	return "redis+sentinel://" + strings.Join(addrs, ",") + "/" + MasterName
}

// Failover waits until the replica has everything, crashes the master and waits
// until the replica has taken its place. Master is the new master from then on,
// Replica the dead server.
func (s *Sentinel) Failover() {
	s.tb.Helper()
	s.synced()
	s.Master.Kill()
	await(s.tb, "promotion of "+s.Replica.Addr, func(ctx context.Context) bool {
		role, err := s.Replica.client.Do(ctx, "role").Slice()
		return err == nil && len(role) > 0 && role[0] == "master"
	})
	s.Master, s.Replica = s.Replica, s.Master
}

// Age makes d pass on the master.
func (s *Sentinel) Age(d time.Duration) { s.Master.Age(d) }

// synced waits until the replica has received all that the master has written.
func (s *Sentinel) synced() {
	s.tb.Helper()
	await(s.tb, "replication to "+s.Replica.Addr, func(ctx context.Context) bool {
		pipe := s.Master.client.Pipeline()
		pipe.Incr(ctx, "redistest:synced")
		n := pipe.Do(ctx, "wait", 1, time.Second.Milliseconds())
		_, err := pipe.Exec(ctx)
		return err == nil && n.Val() == int64(1)
	})
	s.Master.client.Del(s.tb.Context(), "redistest:synced")
}
