package main

import (
	"path/filepath"
	"testing"
	"time"
)

// These tests start a real redis-server and the real bare server.

func startTestBare(t *testing.T, like answers) servers {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	binary := filepath.Join(dir, "bare-binary")
	if err := execute(ctx, ".", "go", "build", "-o", binary, "./bare"); err != nil {
		t.Fatal(err)
	}
	redis, err := startRedis(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.stop)
	bare, err := startBare(ctx, dir, binary, redis.addr, like)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bare.stop)
	return servers{server: bare, redis: redis}
}

func TestBareServerAnswersAsManyBytesAsTheProduct(t *testing.T) {
	on := startTestBare(t, answers{record: 500, acted: 2345, read: 1987})
	list, leave, err := visitors(on.server.addr, 1, true)
	defer leave()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		do   func() error
		want int
	}{
		"action": {list[0].reset, 2345},
		"read":   {list[0].read, 1987},
	} {
		if err := tt.do(); err != nil {
			t.Fatal(err)
		}
		if got := len(list[0].last.head) + len(list[0].last.body); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", name, got, tt.want)
		}
	}
}

func TestLoadIsMeasured(t *testing.T) {
	on := startTestBare(t, answers{record: 500, acted: 2000, read: 2000})
	list, leave, err := visitors(on.server.addr, 8, true)
	defer leave()
	if err != nil {
		t.Fatal(err)
	}
	w, err := drive(each(list, (*visitor).reset), 500*time.Millisecond, on)
	if err != nil {
		t.Fatal(err)
	}
	if w.rate < 100 || w.server <= 0 || w.redis <= 0 {
		t.Errorf("measured %+v, want a rate and the CPU of both", w)
	}
	t.Logf("%+v", w)
}

func TestErrorOfAClientEndsTheLoad(t *testing.T) {
	on := startTestBare(t, answers{record: 500, acted: 2000, read: 2000})
	list, leave, err := visitors(on.server.addr, 1, true)
	defer leave()
	if err != nil {
		t.Fatal(err)
	}
	list[0].flow = "/nobody"
	if _, err := drive(each(list, (*visitor).read), time.Millisecond, on); err == nil {
		t.Error("a load of refused requests was measured")
	}
}

func TestPacedClientsDoNotHurry(t *testing.T) {
	n := 0
	if _, err := pace([]client{func() error { n++; return nil }}, 20*time.Millisecond, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n < 3 || n > 6 {
		t.Errorf("done %d times in 100 ms, want about 5", n)
	}
}

func TestTheCheapHashReplacesWhatThereIs(t *testing.T) {
	if _, err := cheapHash("..", t.TempDir()); err != nil {
		t.Error(err)
	}
}
