package session_test

import (
	"context"
	"testing"
	"time"

	"doorward/internal/redistest"
	"doorward/session"
)

// hears fails unless what a node announces is heard within 5 s; it announces again
// and again, since nobody hears what is said before they listen.
func hears(t *testing.T, from *session.Redis, heard <-chan struct{}) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		_ = from.Announce(t.Context()) // of a server that is away
		select {
		case <-heard:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("nobody heard")
}

func TestNodesHearOfAChangeThroughAClusterAndSentinels(t *testing.T) {
	for name, url := range map[string]string{"cluster": redistest.StartCluster(t).URL(), "sentinels": redistest.StartSentinel(t).URL()} {
		t.Run(name, func(t *testing.T) {
			heard := make(chan struct{}, 1)
			one, other := open(t, session.Options{URL: url}), open(t, session.Options{URL: url})
			go other.Announcements(t.Context(), func() {
				select {
				case heard <- struct{}{}:
				default:
				}
			})
			hears(t, one, heard)
		})
	}
}

func TestNodesHearOfAChange(t *testing.T) {
	server := redistest.Start(t)
	one, other := open(t, session.Options{URL: server.URL()}), open(t, session.Options{URL: server.URL()})
	heard, ended := make(chan struct{}, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		other.Announcements(ctx, func() {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	hears(t, one, heard)
	server.Kill()
	if one.Announce(t.Context()) == nil {
		t.Error("announced by a dead server")
	}
	server.Restart()
	for len(heard) > 0 {
		<-heard
	}
	hears(t, one, heard)
	cancel()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("it listens on")
	}
}
