package traffic

import (
	"maps"
	"slices"
	"sync"
)

// balance deals requests out by weight, evenly and not by chance: each turn every site gains its weight, and the one
// with the most takes the request and pays the total.
type balance struct {
	mu      sync.Mutex
	slugs   []string
	weights map[string]int
	credit  map[string]int
}

func (b *balance) set(weights map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if maps.Equal(b.weights, weights) {
		return
	}
	b.weights, b.credit = weights, map[string]int{}
	b.slugs = slices.Sorted(maps.Keys(weights))
}

// next is "" if no site has a weight.
func (b *balance) next() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	chosen, total := "", 0
	for _, slug := range b.slugs {
		if b.weights[slug] == 0 {
			continue
		}
		total += b.weights[slug]
		b.credit[slug] += b.weights[slug]
		if chosen == "" || b.credit[slug] > b.credit[chosen] {
			chosen = slug
		}
	}
	if chosen != "" {
		b.credit[chosen] -= total
	}
	return chosen
}
