package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorward/configs"
	"doorward/delivery"
	"doorward/directory"
	"doorward/runtime/flow"
)

// stageURL is where a stage would be served.
const stageURL = "http://localhost:8080"

// stage is a house that is built for one script and forgotten after it: the real
// step kinds and adapters over a database of its own, with a clock that the script
// moves. It serves nothing and sends nothing.
type stage struct {
	*house
	dir     string // of everything that it keeps
	clock   *stageClock
	subject *document
	bundle  *configs.Bundle
	trail   *trail
	outbox  *directory.Outbox
	letters *delivery.Templates
	mails   []flow.Message // that nobody has taken yet, oldest first
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
func openStage(ctx context.Context, s *script) (_ *stage, err error) {
	files, _, err := configuration(filepath.Join(filepath.Dir(s.file), filepath.FromSlash(s.config)))
	if err != nil {
		return nil, fmt.Errorf("%s: config: %w", s.file, err)
	}
	folders, err := readFolders(files)
	if err != nil {
		return nil, fmt.Errorf("%s: config %s: %w", s.file, s.config, err)
	}
	out := &stage{clock: &stageClock{at: s.clock}, trail: newTrail()}
	if out.subject, err = chosen(all(folders, s.kind), s.kind, s.environment, s.subject); err != nil {
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
	if err := out.copy(files, s); err != nil {
		return nil, err
	}
	out.house = &house{
		o: options{
			Listen: "localhost:8080", BaseURL: stageURL, Config: filepath.Join(out.dir, "config"), Data: out.dir,
			Database: filepath.Join(out.dir, "doorward.db"), Keys: filepath.Join(out.dir, "keys.json"), LogFormat: "text",
		},
		out: io.Discard, log: slog.New(slog.DiscardHandler), now: out.clock.now, metrics: newMetrics(), checks: map[string]func(context.Context) error{},
	}
	for _, step := range []func(context.Context) error{out.openKeys, out.openDirectory, out.hashCheaply, out.openConfiguration, out.watch, out.openEngine, out.openMail} {
		if err := step(ctx); err != nil {
			return nil, out.blamed(s, err)
		}
	}
	return out, nil
}

// close ends the house and removes what it kept.
func (g *stage) close(ctx context.Context) error {
	var err error
	if g.house != nil {
		err = g.house.close(ctx)
	}
	return errors.Join(err, os.RemoveAll(g.dir))
}

// hashCheaply spares the cost that passwords are kept with: this database ends
// with the script.
func (g *stage) hashCheaply(context.Context) error {
	g.hasher = directory.NewHasher(directory.Params{Memory: 64, Time: 1, Threads: 1}, 1, g.now)
	g.users = directory.NewUsers(g.db, g.hasher, g.now)
	return nil
}

// watch has every step of the engine traced, and finds what is played.
func (g *stage) watch(context.Context) error {
	g.kinds = g.trail.watch(g.kinds)
	b, ok := g.registry.Bundle(g.subject.folder.ID)
	if !ok {
		return fmt.Errorf("environment %s is not served", g.subject.folder.name())
	}
	g.bundle = b
	return nil
}

func (g *stage) openMail(context.Context) (err error) {
	g.outbox = directory.NewOutbox(g.db, g.ring, g.now)
	g.letters, err = delivery.NewTemplates()
	return err
}

// userFile is the name of the file that a user of a script is written to.
func userFile(i int) string { return fmt.Sprintf("flow-test-%d.json", i+1) }

// copy makes a copy of the configuration that has the users of the script. A user
// of the configuration is changed by one of the same name.
func (g *stage) copy(files fs.FS, s *script) error {
	to := filepath.Join(g.dir, "config")
	if err := os.CopyFS(to, files); err != nil {
		return fmt.Errorf("%s: config %s: %w", s.file, s.config, err)
	}
	folder := filepath.Join(to, g.subject.folder.dir, "users")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	there, err := readUsers(folder)
	if err != nil {
		return err
	}
	for i, u := range s.users {
		username, _ := u.members["username"].(string)
		user := map[string]any{"id": userID(g.subject.folder.ID, username)}
		if same, ok := there[username]; ok {
			user = same.members
			if err := os.Remove(same.file); err != nil {
				return err
			}
			delete(there, username)
		}
		maps.Copy(user, u.members)
		b, err := json.Marshal(user)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, userFile(i)), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// userID is the id of a user of a script: the same each time, so that what is
// compared with it may be written down.
func userID(env, username string) string {
	sum := sha256.Sum256([]byte(env + "/" + username))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, as those of users
	return uuid.UUID(sum[:16]).String()
}

// seededUser is a user of the configuration.
type seededUser struct {
	file    string
	members map[string]any
}

// readUsers reads a folder of users, by username.
func readUsers(folder string) (map[string]seededUser, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	out := map[string]seededUser{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		u := seededUser{file: file}
		_ = json.Unmarshal(raw, &u.members) // what cannot be read is said when it is loaded
		if name, ok := u.members["username"].(string); ok {
			out[name] = u
		}
	}
	return out, nil
}

// blamed is an error of the configuration, with the line of the script where it is
// about a user of it.
func (g *stage) blamed(s *script, err error) error {
	found := configs.Faults(nil)
	if !errors.As(err, &found) {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	lines := make([]error, len(found))
	for i, f := range found {
		lines[i] = fmt.Errorf("%s: %w", s.file, f)
		for n, u := range s.users {
			if f.File == path.Join(g.subject.folder.dir, "users", userFile(n)) {
				lines[i] = fmt.Errorf("%s:%d: user: %w", s.file, u.line, f.Fault)
			}
		}
	}
	return errors.Join(lines...)
}

// placeOf is what a mail says of the environment.
func (g *stage) placeOf(m flow.Message) delivery.Place {
	p, _ := g.place(m.Env, m.Flow) // it is the one environment that there is
	return p
}
