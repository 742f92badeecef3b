package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"doorward/directory"
)

// options is what serve can be told. Each flag has a variable: --base-url is
// DOORWARD_BASE_URL. A flag wins over its variable.
type options struct {
	Listen            string
	BaseURL           string
	Config            string
	Data              string
	Redis             string
	Database          string
	Keys              string
	SMTP              string
	MailFrom          string
	TrustedProxies    []string
	LogFormat         string
	Metrics           string
	Rate              int
	Administrators    string
	OutboundAllow     []string
	OutboundCA        string
	FIDOMetadata      string
	AuditKeep         time.Duration
	AllowDemoSecrets  bool
	AcceptUnsafeRedis bool
}

func (o *options) register(f *pflag.FlagSet) {
	f.StringVar(&o.Listen, "listen", "localhost:8080", "`address` to serve on; localhost means 127.0.0.1 and [::1]")
	f.StringVar(&o.BaseURL, "base-url", "", "public `URL` of this deployment (default: made from --listen when that is loopback)")
	f.StringVar(&o.Config, "config", "", "`directory` of configuration files (default: the built-in demo)")
	f.StringVar(&o.Data, "data", "", "`directory` for data and keys (default: your user data directory)")
	f.StringVar(&o.Redis, "redis", "", "Redis `URL`: redis://, rediss://, redis+sentinel://a,b,c/name, redis+cluster://a,b,c (default: in memory)")
	f.StringVar(&o.Database, "database", "", "SQLite `file` or PostgreSQL URL, postgres://USER:PASSWORD@HOST/DATABASE (default: doorward.db in --data)")
	f.StringVar(&o.Keys, "keys", "", "key ring `file`; needed with --redis and PostgreSQL (default: keys.json in --data)")
	f.StringVar(&o.SMTP, "smtp", "", "mail server `URL`: smtp://user:password@host:587 or smtps://host:465 (default on loopback: mails are shown at /dev/outbox)")
	f.StringVar(&o.MailFrom, "mail-from", "", "`address` that mail is sent from, such as 'Acme <no-reply@example.com>'; needed with --smtp")
	f.StringSliceVar(&o.TrustedProxies, "trusted-proxies", nil, "`CIDRs` whose X-Forwarded-For is believed")
	f.StringVar(&o.LogFormat, "log-format", "text", "text or json")
	f.StringVar(&o.Metrics, "metrics-listen", "", "`address` for Prometheus metrics (default: none)")
	f.IntVar(&o.Rate, "rate-address", 600, "`requests` per minute one address may start or submit; 0 is no limit")
	f.StringVar(&o.Administrators, "administrators", "", "`id` of the environment whose administrators may make and manage all others (default: none)")
	f.StringSliceVar(&o.OutboundAllow, "outbound-allow", nil, "`networks` with port inside which services may be called, such as 10.1.2.0/24:8443; ENVIRONMENT=10.1.2.0/24:8443 for one environment (default: public addresses on port 443)")
	f.StringVar(&o.OutboundCA, "outbound-ca", "", "PEM `file` of certificate authorities that services are trusted by besides the system's; read again when it changes")
	f.StringVar(&o.FIDOMetadata, "fido-metadata", "", "`file` of the FIDO Metadata Service, by which FIDO2 policies let models of authenticators in (default: none)")
	f.DurationVar(&o.AuditKeep, "audit-keep", defaultAuditKeep, "how long security events stay in the database, as 2160h; 0 is for ever")
	f.BoolVar(&o.AllowDemoSecrets, "allow-demo-secrets", false, "serve the demo's published secrets beyond loopback")
	f.BoolVar(&o.AcceptUnsafeRedis, "accept-unsafe-redis", false, "serve on a Redis without AOF or with eviction, although it may lose flows")
}

// defaultAuditKeep bounds what anybody may have written by asking for sign-ons.
const defaultAuditKeep = 90 * 24 * time.Hour

// fromEnvironment fills what was not given as a flag from DOORWARD_*.
func fromEnvironment(f *pflag.FlagSet, getenv func(string) string) error {
	var errs []error
	f.VisitAll(func(fl *pflag.Flag) {
		name := "DOORWARD_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if v := getenv(name); v != "" && !fl.Changed {
			if err := f.Set(fl.Name, v); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	})
	return errors.Join(errs...)
}

// settle checks what belongs together and fills in what follows.
func (o *options) settle(getenv func(string) string) error {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: give HOST:PORT", o.Listen)
	}
	if o.BaseURL == "" {
		if !isLoopback(host) {
			return errors.New("--base-url is needed when --listen is not loopback: it is the address people reach this deployment at")
		}
		o.BaseURL = "http://" + net.JoinHostPort(host, port)
	}
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	u, err := url.Parse(o.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("--base-url %q: give scheme and host alone, such as https://signon.example.com", o.BaseURL)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("--base-url %q: http is for loopback alone; give the https address people use", o.BaseURL)
	}
	if o.LogFormat != "text" && o.LogFormat != "json" {
		return fmt.Errorf("--log-format %q: give text or json", o.LogFormat)
	}
	if o.sharesStore() && o.Keys == "" {
		return errors.New("--keys is needed with --redis and PostgreSQL: nodes that share a store share a key ring; make one with `doorward keys new FILE`")
	}
	if scheme, _, is := strings.Cut(o.Database, "://"); is && !directory.OnServer(o.Database) {
		return fmt.Errorf("--database %s://: give the path of a SQLite file or the URL of a PostgreSQL database, postgres://", scheme)
	}
	if o.Rate < 0 || o.AuditKeep < 0 {
		return errors.New("--rate-address and --audit-keep take no negative number; 0 is no limit")
	}
	if (o.SMTP == "") != (o.MailFrom == "") {
		return errors.New("--smtp and --mail-from go together: where mail is handed in, and from whom it comes")
	}
	return o.places(getenv)
}

// places fills in the files that follow from the data directory.
func (o *options) places(getenv func(string) string) error {
	if o.Data == "" {
		base := getenv("XDG_DATA_HOME")
		if base == "" {
			home := getenv("HOME")
			if home == "" {
				return errors.New("--data is needed: there is no home directory to keep data in")
			}
			base = filepath.Join(home, ".local", "share")
		}
		o.Data = filepath.Join(base, "doorward")
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if o.Database == "" {
		o.Database = filepath.Join(o.Data, "doorward.db")
	}
	if o.Keys == "" {
		o.Keys = filepath.Join(o.Data, "keys.json")
	}
	return nil
}

// proxies parses --trusted-proxies; a bare address is a network of one.
func (o *options) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range o.TrustedProxies {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxies %q: give addresses or networks such as 10.0.0.0/8", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// loopback reports whether the deployment is reachable from this machine alone.
func (o *options) loopback() bool {
	host, _, err := net.SplitHostPort(o.Listen)
	u, err2 := url.Parse(o.BaseURL)
	return err == nil && err2 == nil && isLoopback(host) && isLoopback(u.Hostname())
}

// sharesStore reports whether other nodes may work on the same stores.
func (o *options) sharesStore() bool { return o.Redis != "" || directory.OnServer(o.Database) }

// drain is how long a stopping node stays open for balancers to notice. On
// loopback nobody balances.
func (o *options) drain() time.Duration {
	if o.loopback() && o.Redis == "" {
		return 0
	}
	return drainTime
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
