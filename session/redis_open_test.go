package session_test

import (
	"strings"
	"testing"
	"time"

	"doorward/internal/redistest"
	"doorward/session"
)

func TestOpenAndHealthRefuse(t *testing.T) {
	for name, args := range map[string][]string{
		"no append-only file": {"--appendonly", "no"},
		"eviction":            {"--maxmemory-policy", "allkeys-lru"},
		"eviction by time":    {"--maxmemory-policy", "volatile-ttl"},
	} {
		t.Run(name+", unless accepted", func(t *testing.T) {
			url := redistest.Start(t, args...).URL()
			_, err := session.Open(t.Context(), session.Options{URL: url, Now: time.Now})
			wants(t, err, session.ErrUnsafe)
			open(t, session.Options{URL: url, AcceptLoss: true})
		})
	}
	server := redistest.Start(t)
	raw := server.Client()
	t.Run("a clock more than 5 s apart", func(t *testing.T) {
		c := &clock{}
		s := open(t, session.Options{URL: server.URL(), Now: c.now})
		for skew, healthy := range map[time.Duration]bool{
			4 * time.Second: true, -4 * time.Second: true, 6 * time.Second: false, -6 * time.Second: false, 0: true,
		} {
			c.offset.Store(int64(skew))
			if err := s.Health(t.Context()); (err == nil) != healthy {
				t.Errorf("%v: %v", skew, err)
			}
		}
	})
	t.Run("settings that changed since the start, within a minute", func(t *testing.T) {
		s := open(t, session.Options{URL: server.URL()})
		must(t, raw.ConfigSet(t.Context(), "appendonly", "no").Err())
		must(t, s.Health(t.Context()))
		s.Recheck()
		for range 2 {
			wants(t, s.Health(t.Context()), session.ErrUnsafe)
		}
		must(t, raw.ConfigSet(t.Context(), "appendonly", "yes").Err())
		must(t, s.Health(t.Context()))
	})
	t.Run("a wrong password, which no error repeats", func(t *testing.T) {
		must(t, raw.ConfigSet(t.Context(), "requirepass", "s3cret").Err())
		_, err := session.Open(t.Context(), session.Options{URL: "redis://:wr0ng@" + server.Addr, Now: time.Now})
		if err == nil || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("got %v", err)
		}
		open(t, session.Options{URL: "redis://:s3cret@" + server.Addr + "/0"})
	})
	t.Run("nobody there, at once", func(t *testing.T) {
		began := time.Now()
		for _, url := range []string{"redis://127.0.0.1:1", "redis+sentinel://127.0.0.1:1,127.0.0.1:2/m", "redis+cluster://127.0.0.1:1,127.0.0.1:2"} {
			if _, err := session.Open(t.Context(), session.Options{URL: url, Now: time.Now}); err == nil {
				t.Errorf("%s opened", url)
			}
		}
		if took := time.Since(began); took > 6*promptly {
			t.Errorf("took %v", took)
		}
	})
}

func TestURLs(t *testing.T) {
	for _, tc := range []struct{ url, mode, addrs, master, user, password string }{
		{url: "redis://h", addrs: "h:6379"},
		{url: "redis://h:1", addrs: "h:1"},
		{url: "redis://[::1]:1/3", addrs: "[::1]:1"},
		{url: "redis://[::1]", addrs: "[::1]:6379"},
		{url: "rediss://u:p%40%2F@h", addrs: "h:6379", user: "u", password: "p@/"},
		{url: "redis+sentinel://h1,h2:2,h3/m", mode: "sentinel", addrs: "h1:26379 h2:2 h3:26379", master: "m"},
		{url: "redis+sentinel://:p@h1/m/2?sentinel_password=q", mode: "sentinel", addrs: "h1:26379", master: "m", password: "p"},
		{url: "redis+cluster://h1,h2:2,[::1]:3", mode: "cluster", addrs: "h1:6379 h2:2 [::1]:3"},
		{url: "rediss+cluster://u:p@h1/", mode: "cluster", addrs: "h1:6379", user: "u", password: "p"},
	} {
		t.Run(tc.url, func(t *testing.T) {
			mode, o, err := session.ParseURL(tc.url)
			must(t, err)
			if mode != tc.mode || strings.Join(o.Addrs, " ") != tc.addrs || o.MasterName != tc.master || o.Username != tc.user || o.Password != tc.password {
				t.Errorf("%s %v %s %s %s", mode, o.Addrs, o.MasterName, o.Username, o.Password)
			}
			if (o.TLSConfig != nil) != strings.HasPrefix(tc.url, "rediss") {
				t.Errorf("TLS %v", o.TLSConfig)
			}
		})
	}
	for _, url := range []string{
		"", "redis", "redis:", "redis://", "redis://:s3cret@", "http://h", "redis+x://h", "redis+://h", "+sentinel://h/m", "redis://h1,h2", "redis://h:0", "redis://h:99999", "redis://h:x",
		"redis://h/db", "redis://h/0/1", "redis://h?db=s3cret%zz", "redis://h?max_retries=3", "redis://h#s3cret", "redis+cluster://h/1",
		"redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel://h/m/1/2", "redis+sentinel://h/m?x=s3cret", "redis://a:s3cret%zz@h", "redis://:1:s3cret",
	} {
		t.Run("refused: "+url, func(t *testing.T) {
			_, _, err := session.ParseURL(url)
			wants(t, err, session.ErrURL)
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v", err)
			}
		})
	}
}
