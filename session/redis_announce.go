package session

import (
	"context"
	"fmt"
)

// announced is the channel on which nodes tell each other that the configuration
// has changed. What is said is nothing: whoever hears it looks at the revision.
const announced = "doorward:configuration"

// Announce tells every node that the configuration has changed. Nobody may hear
// it: a node that does not listen at this moment sees the change when it polls.
func (r *Redis) Announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	if err := r.rdb.Publish(ctx, announced, "").Err(); err != nil {
		return fmt.Errorf("announce the configuration: %w", err)
	}
	return nil
}

// Announcements calls heard whenever a node announces, this one too, until ctx
// ends. A lost connection is made anew.
func (r *Redis) Announcements(ctx context.Context, heard func()) {
	sub := r.rdb.Subscribe(ctx, announced)
	defer func() { _ = sub.Close() }() // nothing is written by it
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-messages:
			if !open {
				return
			}
			heard()
		}
	}
}
