package device

import (
	"cmp"
	"math"
	"slices"
)

func sortDevices(devices []Device, rank map[string]int) {
	place := func(d *Device) int {
		if n, listed := rank[d.ID]; listed {
			return n
		}
		return math.MaxInt
	}
	slices.SortStableFunc(devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(place(&a), place(&b)), a.ActivatedAt.Compare(b.ActivatedAt), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
}
