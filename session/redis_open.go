package session

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ErrURL says that an address of Redis cannot be used. It never holds a password.
var ErrURL = errors.New("redis URL")

// Options are what Open takes.
type Options struct {
	// URL is one of
	//
	//	redis://[user:password@]host[:6379][/db]
	//	redis+sentinel://[user:password@]host[:26379],host,.../master[/db][?sentinel_username=&sentinel_password=]
	//	redis+cluster://[user:password@]host[:6379],host,...
	//
	// or the same with rediss for TLS.
	URL string
	Now func() time.Time
	// AcceptLoss takes a server that may lose or drop what was acknowledged,
	// because it has no append-only file or evicts, or does not tell.
	AcceptLoss bool
	// Hook sees every batch once, also on a cluster. May be nil.
	Hook redis.Hook
	// Dial replaces the TCP dialer. May be nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Open connects and checks what Health checks: the server answers, is a master of
// version 7 or later, appends to a file, evicts nothing and has our time.
func Open(ctx context.Context, o Options) (*Redis, error) {
	place, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	place.opts.Dialer = o.Dial
	redis.SetLogger(quiet{}) // every failure reaches our caller as an error
	r := &Redis{rdb: place.connect(), cluster: place.mode == "cluster", scripts: newScripts(), now: o.Now, risky: o.AcceptLoss}
	r.road = road{send: r.send}
	r.later = newLater(r.run) //nolint:contextcheck // close ends it
	if o.Hook != nil {
		r.rdb.AddHook(o.Hook)
	}
	err = r.Health(ctx)
	if err == nil {
		err = r.loadScripts(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// quiet keeps the client from writing to standard error.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// place is a parsed URL.
type place struct {
	mode string // "", "sentinel" or "cluster"
	opts redis.UniversalOptions
}

// connect makes the client. What it may do behind our back is switched off:
// retries, waiting longer than the caller, reading from replicas.
func (p place) connect() redis.UniversalClient {
	o := p.opts
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = batchTime, batchTime, batchTime, batchTime
	o.ContextTimeoutEnabled = true
	o.PoolSize = 50
	o.Protocol = 2
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch p.mode {
	case "sentinel":
		return redis.NewFailoverClient(o.Failover())
	case "cluster":
		c := o.Cluster()
		c.MinRetryBackoff, c.MaxRetryBackoff = -1, -1 // before following a MOVED
		return redis.NewClusterClient(c)
	}
	return redis.NewClient(o.Simple())
}

func parseURL(raw string) (place, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	secure := strings.HasPrefix(scheme, "rediss")
	name, mode, _ := strings.Cut(scheme, "+")
	if !ok || (name != "redis" && name != "rediss") || !slices.Contains([]string{"", "sentinel", "cluster"}, mode) || strings.HasSuffix(scheme, "+") {
		return place{}, fmt.Errorf("%w: want redis://, redis+sentinel:// or redis+cluster://, or rediss", ErrURL)
	}
	p := place{mode: mode}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@')
	// net/url takes one host only; the user and what follows are its business.
	u, err := url.Parse("redis://" + authority[:at+1] + "host" + tail)
	if err != nil || u.Fragment != "" {
		return place{}, fmt.Errorf("%w: malformed", ErrURL) // err may quote the password
	}
	if p.opts.Addrs, err = addresses(authority[at+1:], mode); err != nil {
		return place{}, err
	}
	if mode == "" && len(p.opts.Addrs) > 1 {
		return place{}, fmt.Errorf("%w: several hosts need redis+sentinel or redis+cluster", ErrURL)
	}
	p.opts.Username = u.User.Username()
	p.opts.Password, _ = u.User.Password()
	if secure {
		p.opts.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return p, p.path(u)
}

// path reads the master's name, the database and the parameters.
func (p *place) path(u *url.URL) error {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if parts[0] == "" {
		parts = nil
	}
	if p.mode == "sentinel" {
		if len(parts) == 0 {
			return fmt.Errorf("%w: redis+sentinel needs the master's name as its path", ErrURL)
		}
		p.opts.MasterName, parts = parts[0], parts[1:]
	}
	if p.mode != "cluster" && len(parts) == 1 {
		db, err := strconv.ParseUint(parts[0], 10, 16)
		if err != nil {
			return fmt.Errorf("%w: database is no number", ErrURL)
		}
		p.opts.DB, parts = int(db), nil
	}
	if len(parts) > 0 {
		return fmt.Errorf("%w: unexpected path", ErrURL)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fmt.Errorf("%w: malformed parameters", ErrURL)
	}
	for name, values := range query {
		switch {
		case p.mode == "sentinel" && name == "sentinel_username":
			p.opts.SentinelUsername = values[0]
		case p.mode == "sentinel" && name == "sentinel_password":
			p.opts.SentinelPassword = values[0]
		default:
			return fmt.Errorf("%w: unknown parameter %q", ErrURL, name)
		}
	}
	return nil
}

// addresses splits a list of hosts and adds the ports that were left out.
func addresses(list, mode string) ([]string, error) {
	port := "6379"
	if mode == "sentinel" {
		port = "26379"
	}
	var out []string
	for host := range strings.SplitSeq(list, ",") {
		if !strings.Contains(host, ":") || strings.HasSuffix(host, "]") {
			host += ":" + port
		}
		name, number, err := net.SplitHostPort(host)
		if n, nerr := strconv.ParseUint(number, 10, 16); err != nil || nerr != nil || n == 0 || name == "" {
			return nil, fmt.Errorf("%w: a host is not host:port", ErrURL)
		}
		out = append(out, host)
	}
	return out, nil
}
