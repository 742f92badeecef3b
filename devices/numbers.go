package devices

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"

	"doorward/runtime/device"
)

// offered is how many numbers a device shows, of which one is right.
const offered = 3

// numbers are those that the person is to choose from: the right one and two others of
// as many digits. They are the same whenever they are asked for, and whoever does not
// have our keys cannot tell from them, or from their order, which one is right. None
// when no number is matched.
func (f *Face) numbers(p *device.Push) []string {
	if p.Number == "" {
		return nil
	}
	size := uint64(math.Pow10(len(p.Number)))
	out := []string{p.Number}
	for i := 0; len(out) < offered; i++ {
		sum := f.Keys.Derive("devices.numbers", p.Env, p.ID, strconv.Itoa(i))
		other := fmt.Sprintf("%0*d", len(p.Number), binary.BigEndian.Uint64(sum[:8])%size)
		if !slices.Contains(out, other) {
			out = append(out, other)
		}
	}
	order := f.Keys.Derive("devices.order", p.Env, p.ID)
	for i := len(out) - 1; i > 0; i-- {
		j := int(binary.BigEndian.Uint16(order[2*i:])) % (i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}
