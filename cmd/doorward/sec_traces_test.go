package main_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	visit "doorward/internal/journey"
)

// logs is what the nodes have logged during the test.
func (x *trial) logs() (all []byte) {
	all = append(all, x.earlier...)
	for i, n := range x.nodes {
		all = append(all, n.Log()[x.from[i]:]...)
	}
	return all
}

// unlogged says which error is not in the log as it should be: once, with its
// reason, with who sent the request and the id by which the client knows it.
func (x *trial) unlogged(failures []visit.Failure) string {
	logged := map[string][]map[string]any{}
	for _, line := range x.lines() {
		if line["msg"] == "request failed" {
			id := fmt.Sprint(line["id"])
			logged[id] = append(logged[id], line)
		}
	}
	for _, f := range failures {
		lines := logged[f.ID]
		if len(lines) != 1 {
			return fmt.Sprintf("error %s is in the log %d times", f.ID, len(lines))
		}
		reason, _ := lines[0]["error"].(string)
		for _, r := range f.Reasons {
			if !strings.Contains(reason, r) {
				return fmt.Sprintf("error %s: %s is not in the log line %v", f.ID, r, lines[0])
			}
		}
		if remote, _ := lines[0]["remote"].(string); !strings.HasPrefix(remote, "127.0.0.1") || lines[0]["correlation"] != f.Correlation || f.Correlation == "" {
			return fmt.Sprintf("error %s, correlation %q: the log line is %v", f.ID, f.Correlation, lines[0])
		}
	}
	return ""
}

// lines is the log of the test, line by line.
func (x *trial) lines() (out []map[string]any) {
	for s := bufio.NewScanner(bytes.NewReader(x.logs())); s.Scan(); {
		var line map[string]any
		if json.Unmarshal(s.Bytes(), &line) == nil {
			out = append(out, line)
		}
	}
	return out
}

// events are the security events about a flow, in the order of each node's log.
func (x *trial) events(flow string) (out []string) {
	for _, line := range x.lines() {
		if line["msg"] == "audit" && line["flow"] == flow {
			out = append(out, fmt.Sprint(line["type"]))
		}
	}
	return out
}

// happened holds that an event about the flow was recorded exactly n times.
func (x *trial) happened(f *visit.Flow, event string, n int) {
	x.Helper()
	got := func() (got int) {
		for _, e := range x.events(f.ID) {
			if e == event {
				got++
			}
		}
		return got
	}
	x.await(func() bool { return got() >= n })
	if got := got(); got != n {
		x.Errorf("%s was recorded %d times, want %d: %v", event, got, n, x.events(f.ID))
	}
}

// recorded is how often an event was recorded during the test.
func (x *trial) recorded(event string) (n int) {
	for _, line := range x.lines() {
		if line["msg"] == "audit" && line["type"] == event {
			n++
		}
	}
	return n
}

// await waits for what a node has said to arrive here.
func (x *trial) await(done func() bool) bool {
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// dump is every place where a secret could lie.
func (x *trial) dump() map[string][]byte {
	out := map[string][]byte{"log": x.logs(), "redis": x.redisDump()}
	files := []string{x.file, x.file + "-wal"}
	if x.server {
		files, out["database"] = nil, x.tables()
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			x.Fatal(err)
		}
		out["database "+filepath.Base(name)] = b
	}
	for i, n := range x.nodes {
		if n == x.dead {
			continue
		}
		out["metrics"] = append(out["metrics"], x.measured(i)...)
	}
	return out
}

// tables is every value of every table on PostgreSQL.
func (x *trial) tables() (all []byte) {
	for name := range strings.Lines(x.column(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)) {
		rows, err := x.db.QueryContext(context.Background(), `SELECT * FROM `+strings.TrimSpace(name))
		if err != nil {
			x.Fatal(err)
		}
		columns, _ := rows.Columns() // the rows are open
		values := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				x.Fatal(err)
			}
			for _, v := range values {
				all = append(append(all, v...), '\n')
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			x.Fatal(err)
		}
	}
	return all
}

func (x *trial) redisKeys() []string {
	keys, err := x.redis.Client().Keys(context.Background(), "*").Result()
	if err != nil {
		x.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

func (x *trial) redisDump() []byte {
	var all bytes.Buffer
	for _, key := range x.redisKeys() {
		all.WriteString(key + "\n")
		value, err := x.redis.Client().Get(context.Background(), key).Bytes()
		if err != nil { // gone, or not a string
			raw, _ := x.redis.Client().Dump(context.Background(), key).Result()
			value = []byte(raw)
		}
		all.Write(value)
	}
	return all.Bytes()
}

// measured is the metrics page of a node.
func (x *trial) measured(node int) []byte {
	resp, err := http.Get("http://" + x.metrics[node] + "/metrics")
	if err != nil {
		x.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		x.Fatal(err)
	}
	return b
}

// gauge is one number of a node's metrics page.
func (x *trial) gauge(node int, name string) int {
	for line := range strings.Lines(string(x.measured(node))) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				x.Fatal(err)
			}
			return int(n)
		}
	}
	x.Fatalf("no metric %s", name)
	return 0
}
