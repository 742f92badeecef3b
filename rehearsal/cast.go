package rehearsal

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"doorward/configs"
)

// cast makes a copy of the configuration that has the users of the script in one of
// its folders. A user of the configuration is changed by one of the same name.
func cast(s *script, files fs.FS, to string, in *configs.Folder) error {
	if err := os.CopyFS(to, files); err != nil {
		return fmt.Errorf("%s: config %s: %w", s.file, s.config, err)
	}
	folder := filepath.Join(to, in.Dir, "users")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	there, err := readUsers(folder)
	if err != nil {
		return err
	}
	for i, u := range s.users {
		username, _ := u.members["username"].(string)
		user := map[string]any{"id": userID(in.ID, username)}
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

// userFile is the name of the file that a user of a script is written to.
func userFile(i int) string { return fmt.Sprintf("flow-test-%d.json", i+1) }

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
