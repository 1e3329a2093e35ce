package wire

import (
	"net/netip"
	"os"
	"sync/atomic"

	"golang.zx2c4.com/wireguard/tun"
)

// wireguardTUN is the library's view of the TUN device. Its own moves 128 packets at a time through some 8 MiB of buffers,
// and asks the kernel each second whether the device is up; a rehearsal has a hundred of them in one process.
type wireguardTUN struct {
	file   *os.File
	events chan tun.Event
	// beside has the destinations of which each packet is also sent in clear (the fault LeakBeside).
	beside atomic.Pointer[wireguardLeak]
}

type wireguardLeak struct {
	to   []netip.Prefix
	send func(packet []byte) error
}

func newWireguardTUN(file *os.File) *wireguardTUN {
	return &wireguardTUN{file: file, events: make(chan tun.Event)}
}

func (t *wireguardTUN) Read(buffers [][]byte, sizes []int, offset int) (int, error) {
	size, err := t.file.Read(buffers[0][offset:])
	if err != nil {
		return 0, err
	}
	sizes[0] = size
	if leak := t.beside.Load(); leak != nil && leak.concerns(buffers[0][offset:offset+size]) {
		// A copy that cannot be sent is the fault's affair: the packet itself goes on encrypted.
		_ = leak.send(buffers[0][offset : offset+size])
	}
	return 1, nil
}

func (l *wireguardLeak) concerns(packet []byte) bool {
	destination, ok := destinationOf(packet)
	if !ok {
		return false
	}
	for _, prefix := range l.to {
		if prefix.Contains(destination) {
			return true
		}
	}
	return false
}

// destinationOf reads the destination address of an IP packet.
func destinationOf(packet []byte) (netip.Addr, bool) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[16:20])), true
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[24:40])), true
	}
	return netip.Addr{}, false
}

func (t *wireguardTUN) Write(buffers [][]byte, offset int) (int, error) {
	for done, buffer := range buffers {
		if _, err := t.file.Write(buffer[offset:]); err != nil {
			return done, err
		}
	}
	return len(buffers), nil
}

// Close is called once, by the library.
func (t *wireguardTUN) Close() error {
	close(t.events)
	return t.file.Close()
}

func (t *wireguardTUN) File() *os.File           { return t.file }
func (t *wireguardTUN) MTU() (int, error)        { return wireguardMTU, nil }
func (t *wireguardTUN) Name() (string, error)    { return wireguardDevice, nil }
func (t *wireguardTUN) Events() <-chan tun.Event { return t.events }
func (t *wireguardTUN) BatchSize() int           { return 1 }
