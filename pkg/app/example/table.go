package example

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// Member has the fields of a member that this application keeps. It ignores the others.
type Member struct {
	ID           string       `json:"id"`
	Status       string       `json:"status"`
	UserName     string       `json:"userName"`
	LoginAddress string       `json:"loginAddress"`
	Email        string       `json:"email"`
	Manager      *Manager     `json:"manager"`
	Assignments  []Assignment `json:"assignments"`
	Version      int64        `json:"version"`
}

// Manager is who manages a person; ID is empty while nobody is known under that value.
type Manager struct {
	ID string `json:"id"`
}

// Assignment is something that a person has: a role, an organisation, a team. Its display name may change without an
// event about the person, so it is not kept here.
type Assignment struct {
	Kind         string `json:"kind"`
	Target       string `json:"target"`
	Organisation string `json:"organisation,omitempty"`
	Origin       string `json:"origin"`
}

// Table is all that the application stores: its people by id, and its place in the log of events. Both are always
// written together, so that no event is lost or applied twice.
type Table struct {
	// After is the id of the last event that was applied, or the place that an answer 410 named; "" begins with the
	// first event.
	After  string            `json:"after"`
	People map[string]Member `json:"people"`
}

// readTable reads the file. A file that is not there is an empty table.
func readTable(file string) (Table, error) {
	t := Table{People: map[string]Member{}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("example: %s: %w", file, err)
	}
	return t, nil
}

// write replaces the file as a whole: whoever reads it, also after a loss of power, finds the old table or the new one.
func (t Table) write(file string) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next.Name()) }() // it is gone by then if all went well
	_, err = next.Write(data)
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), file)
}

// clone is a copy that can be changed without the original.
func (t Table) clone() Table { return Table{After: t.After, People: maps.Clone(t.People)} }
