package esp

import "math"

// DefaultWindow is how far behind the highest sequence number a packet may come; Cilium's value.
const DefaultWindow = 1024

const blockBits = 64

// window remembers which sequence numbers were received (RFC 4303 3.4.3).
type window struct {
	size    uint64
	highest uint64
	// seen is a ring of bits, by sequence number; one block more than the window, so that a block is cleared only when all of it
	// has left the window (RFC 6479).
	seen []uint64
}

func newWindow(size uint64) window { return window{size: size, seen: make([]uint64, size/blockBits+2)} }

// fresh tells whether a sequence number may be accepted.
func (w *window) fresh(sequence uint64) bool {
	switch {
	case sequence == 0:
		return false
	case sequence > w.highest:
		return true
	case w.highest-sequence >= w.size:
		return false
	}
	return w.seen[w.block(sequence)]&(1<<(sequence%blockBits)) == 0
}

// accept marks a sequence number as received; only after its packet has passed the integrity check.
func (w *window) accept(sequence uint64) {
	if sequence > w.highest {
		from, to := w.highest/blockBits, sequence/blockBits
		for i := range min(to-from, uint64(len(w.seen))) {
			w.seen[(to-i)%uint64(len(w.seen))] = 0
		}
		w.highest = sequence
	}
	w.seen[w.block(sequence)] |= 1 << (sequence % blockBits)
}

func (w *window) block(sequence uint64) uint64 { return sequence / blockBits % uint64(len(w.seen)) }

// extend works out the half of an extended sequence number that is not sent (RFC 4303 appendix A2.2): the number nearest the
// window that is not left of it. A wrong guess fails the integrity check.
func (w *window) extend(low uint32) uint64 {
	high := w.highest &^ math.MaxUint32
	// The window's lower edge, modulo 2^32.
	bottom := uint32(w.highest) - uint32(w.size) + 1
	spansTwo := uint32(w.highest) < uint32(w.size)-1
	switch {
	case spansTwo && low >= bottom && high > 0:
		high -= 1 << 32
	case !spansTwo && low < bottom:
		high += 1 << 32
	}
	return high | uint64(low)
}
