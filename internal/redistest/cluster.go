package redistest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorward/internal/porttest"
)

const slots = 16384

// Cluster is three masters that share the slots, without replicas.
type Cluster struct{ Nodes []*Server }

// StartCluster runs three nodes and waits until each serves its third.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts Redis; make test runs it")
	}
	c := &Cluster{}
	for range 3 {
		c.Nodes = append(c.Nodes, Start(
			tb, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(porttest.Free(tb)),
			"--cluster-node-timeout", "2000",
		))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	first := c.Nodes[0]
	host, port, _ := net.SplitHostPort(first.Addr)
	for i, n := range c.Nodes {
		if err := n.client.ClusterAddSlotsRange(ctx, i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			tb.Fatalf("give slots: %v", err)
		}
		if i > 0 {
			if err := n.client.Do(ctx, "cluster", "meet", host, port, first.busPort()).Err(); err != nil {
				tb.Fatalf("meet: %v", err)
			}
		}
	}
	c.await(tb)
	return c
}

func (c *Cluster) await(tb testing.TB) {
	tb.Helper()
	for _, n := range c.Nodes {
		await(tb, "cluster node "+n.Addr, func(ctx context.Context) bool {
			info, err := n.client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
}

// URL is the address in the form that session.Open takes.
func (c *Cluster) URL() string {
	addrs := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return "redis+cluster://" + strings.Join(addrs, ",")
}

// Restart ends every node in order and starts it again on its data.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	for _, n := range c.Nodes {
		n.Stop()
	}
	for _, n := range c.Nodes {
		n.Restart()
	}
	c.await(tb)
}

// Age makes d pass on every node.
func (c *Cluster) Age(d time.Duration) {
	for _, n := range c.Nodes {
		n.Age(d)
	}
}

func (s *Server) busPort() string {
	for i, a := range s.args {
		if a == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return ""
}
