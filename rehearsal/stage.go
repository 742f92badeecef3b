package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"doorward/configs"
	"doorward/runtime/flow"
)

// baseURL is where a stage would be served.
const baseURL = "http://localhost:8080"

// stage is a House that is built for one script and forgotten after it, with a clock
// that the script moves.
type stage struct {
	*House
	dir     string // of everything that it keeps
	clock   *stageClock
	subject *configs.Planned
	bundle  *configs.Bundle
	trail   *trail
	mails   []flow.Message // that nobody has taken yet, oldest first
	calls   []Call         // likewise

	services *services
}

// stageClock stands still until it is moved.
type stageClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *stageClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *stageClock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// openStage builds a stage for a script. The error says what of the script or of
// its configuration keeps it from being played.
func openStage(ctx context.Context, s *script, build Build) (_ *stage, err error) {
	files, _, err := configs.Directory(filepath.Join(filepath.Dir(s.file), filepath.FromSlash(s.config)))
	if err != nil {
		return nil, fmt.Errorf("%s: config: %w", s.file, err)
	}
	folders, err := configs.Folders(files, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: config %s: %w", s.file, s.config, err)
	}
	out := &stage{clock: &stageClock{at: s.clock}, trail: newTrail(), services: newServices(s.services)}
	if out.subject, err = chosen(folders, s.kind, s.environment, s.subject); err != nil {
		return nil, fmt.Errorf("%s: config %s: %w", s.file, s.config, err)
	}
	if out.dir, err = os.MkdirTemp("", "doorward-flow-test"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.close(ctx))
		}
	}()
	in := Setting{
		Dir: out.dir, Config: filepath.Join(out.dir, "config"), BaseURL: baseURL, Now: out.clock.now,
		Watch: out.trail.watch, Services: out.services.reply,
	}
	if err := cast(s, files, in.Config, out.subject.Folder); err != nil {
		return nil, err
	}
	if out.House, err = build(ctx, in); err != nil {
		return nil, blamed(s, out.subject.Folder, err)
	}
	bundle, ok := out.Registry.Bundle(out.subject.Folder.ID)
	if !ok {
		return nil, fmt.Errorf("%s: environment %s is not served", s.file, nameOf(out.subject.Folder))
	}
	out.bundle = bundle
	return out, nil
}

// close ends the house and removes what it kept.
func (g *stage) close(ctx context.Context) error {
	var err error
	if g.House != nil {
		err = g.Close(ctx)
	}
	return errors.Join(err, os.RemoveAll(g.dir))
}

// blamed is an error of the configuration, with the line of the script where it is
// about a user of it.
func blamed(s *script, in *configs.Folder, err error) error {
	found := configs.Faults(nil)
	if !errors.As(err, &found) {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	lines := make([]error, len(found))
	for i, f := range found {
		lines[i] = fmt.Errorf("%s: %w", s.file, f)
		for n, u := range s.users {
			if f.File == path.Join(in.Dir, "users", userFile(n)) {
				lines[i] = fmt.Errorf("%s:%d: user: %w", s.file, u.line, f.Fault)
			}
		}
	}
	return errors.Join(lines...)
}
