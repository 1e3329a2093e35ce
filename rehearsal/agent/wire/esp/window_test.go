package esp

import (
	"math/rand/v2"
	"testing"
)

// The window against the plainest model of it: a set of all numbers ever received.
func TestTheWindowDoesAsASetOfAllNumbersWould(t *testing.T) {
	for _, size := range []uint64{64, 100, DefaultWindow} {
		random := rand.New(rand.NewPCG(size, 6))
		window, received, highest := newWindow(size), map[uint64]bool{}, uint64(0)
		for range 20_000 {
			// Mostly near the edge, now and then far ahead.
			sequence := highest + random.Uint64N(size*2)
			if ahead := random.IntN(100) == 0; ahead {
				sequence += random.Uint64N(size * 5)
			} else {
				sequence -= min(sequence, random.Uint64N(size*2))
			}
			fresh := sequence > 0 && !received[sequence] && sequence+size > highest
			if got := window.fresh(sequence); got != fresh {
				t.Fatalf("size %d: %d after %d is fresh: %v, where the set says %v", size, sequence, highest, got, fresh)
			}
			if fresh {
				window.accept(sequence)
				received[sequence], highest = true, max(highest, sequence)
			}
		}
	}
}

func TestTheHalfThatIsNotSentIsThatOfTheNearestNumber(t *testing.T) {
	const next = uint64(1) << 32
	for _, c := range []struct {
		highest uint64
		low     uint32
		want    uint64
	}{
		{0, 1, 1},
		{5, 0xffff_ffff, 0xffff_ffff}, // nothing is left of 0
		{next - 1, 0, next},
		{next - 1, 0xffff_ffff, next - 1},
		{next + 5, 0xffff_fff0, next - 16}, // the window spans two
		{next + 5, 6, next + 6},
		{next + 5000, 4999, next + 4999},
		{next + 5000, 1, 2*next + 1}, // left of the window, so it can be new only
	} {
		window := newWindow(DefaultWindow)
		window.highest = c.highest
		if got := window.extend(c.low); got != c.want {
			t.Errorf("%#x after %#x is taken for %#x, where %#x was expected", c.low, c.highest, got, c.want)
		}
	}
}
