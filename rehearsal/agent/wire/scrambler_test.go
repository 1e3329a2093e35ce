package wire

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// scrambler is an encryptor for tests of all that is around one: it makes packets unreadable, and carries them by the ESP
// protocol.
type scrambler struct {
	name   string
	tun    *os.File
	socket *net.IPConn

	mu      sync.Mutex
	updates int
	peers   []Peer
}

func newScrambler(node *Node, encryption Encryption) (encryptor, error) {
	s := &scrambler{name: map[Encryption]string{Wireguard: wireguardDevice, IPsec: ipsecDevice}[encryption]}
	var err error
	if s.tun, err = openTUN(node.namespace, s.name, cableMTU-ipsecOverhead); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		return errors.Join(raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, encryptionMark)
		}), err)
	}}
	var socket net.PacketConn
	if err := node.namespace.Do(func() (err error) {
		socket, err = config.ListenPacket(context.Background(), "ip:50", node.address.Addr().String())
		return err
	}); err != nil {
		return nil, errors.Join(err, s.tun.Close())
	}
	s.socket = socket.(*net.IPConn)
	go s.sendAll()
	go s.receiveAll()
	return s, nil
}

func scrambled(packet []byte) []byte {
	out := make([]byte, len(packet))
	for i := range packet {
		out[i] = packet[i] ^ 0xff
	}
	return out
}

func (s *scrambler) sendAll() {
	packet := make([]byte, 1<<16)
	for {
		size, err := s.tun.Read(packet)
		if err != nil {
			return
		}
		destination := netip.AddrFrom4([4]byte(packet[16:20]))
		s.mu.Lock()
		for _, peer := range s.peers {
			if peer.IP == destination || peer.PodCIDRs[0].Contains(destination) {
				_, _ = s.socket.WriteToIP(scrambled(packet[:size]), &net.IPAddr{IP: peer.IP.AsSlice()})
			}
		}
		s.mu.Unlock()
	}
}

func (s *scrambler) receiveAll() {
	buffer := make([]byte, 1<<16)
	for {
		size, _, err := s.socket.ReadFromIP(buffer)
		if err != nil {
			return
		}
		_, _ = s.tun.Write(scrambled(buffer[:size]))
	}
}

func (s *scrambler) device() string { return s.name }

func (s *scrambler) update(datapath Datapath, faults []Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates++
	s.peers = slices.DeleteFunc(slices.Clone(datapath.Peers), func(peer Peer) bool { return faultFor(faults, PeerMissing, peer.Name) })
	return nil
}

func (s *scrambler) stats() Stats {
	return Stats{Errors: map[string]int64{"updates": int64(s.updates)}}
}

func (s *scrambler) close() error { return errors.Join(s.socket.Close(), s.tun.Close()) }
