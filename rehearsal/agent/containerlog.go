package main

import (
	"bytes"
	"slices"
	"sync"
)

// containerLog is what a container wrote, the last of it. It never fails and never waits, whoever writes.
type containerLog struct {
	mu   sync.Mutex
	kept []byte
	// dropped counts the bytes before those that are kept.
	dropped int
}

// logBytesPerContainer is the least that is kept of a log that has as much; the most is twice that.
const logBytesPerContainer = 128 << 10

func (l *containerLog) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, data...)
	// Seldom, since it copies.
	if excess := len(l.kept) - logBytesPerContainer; excess > logBytesPerContainer {
		// Whole lines go.
		if end := bytes.IndexByte(l.kept[excess:], '\n'); end >= 0 {
			excess += end + 1
		}
		l.kept = slices.Clone(l.kept[excess:])
		l.dropped += excess
	}
	return len(data), nil
}

// since gives what was written from a place on, and the place after it.
func (l *containerLog) since(place int) ([]byte, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := min(max(place-l.dropped, 0), len(l.kept))
	return slices.Clone(l.kept[from:]), l.dropped + len(l.kept)
}
