package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"wirecloak/rehearsal/agent/wire/esp"
)

// ipsec encrypts a node's packets in user space as the kernel's XFRM would for Cilium.
type ipsec struct {
	namespace *Namespace
	node      netip.Addr
	tun       *os.File
	socket    *net.IPConn
	loops     sync.WaitGroup

	mutex  sync.RWMutex
	peers  ipsecPeers
	errors map[string]int64
	// plain is there from the first LeakBeside on.
	plain *plainSender
}

// newIPsec makes the node's TUN device and its socket for ESP; it sends nothing before its first update.
func newIPsec(namespace *Namespace, node netip.Addr) (encryptor, error) {
	tun, err := openTUN(namespace, ipsecDevice, cableMTU-ipsecOverhead)
	if err != nil {
		return nil, err
	}
	i := &ipsec{namespace: namespace, node: node, tun: tun, errors: map[string]int64{}}
	if i.socket, err = openESP(namespace, node); err != nil {
		return nil, errors.Join(err, tun.Close())
	}
	i.loops.Go(i.sendAll)
	i.loops.Go(i.receiveAll)
	return i, nil
}

// openESP opens a raw socket: what is written to it leaves the node as ESP, and the node's ESP is read from it. The rules of
// routing.go know its packets by their mark, and send them through the tunnel where ESP travels inside VXLAN.
func openESP(namespace *Namespace, node netip.Addr) (*net.IPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		return errors.Join(raw.Control(func(fd uintptr) {
			err = errors.Join(
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, encryptionMark),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
			)
		}), err)
	}}
	var socket net.PacketConn
	err := namespace.Do(func() (err error) {
		socket, err = config.ListenPacket(context.Background(), fmt.Sprintf("ip:%d", unix.IPPROTO_ESP), node.String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("a socket for ESP cannot be opened: %w", err)
	}
	return socket.(*net.IPConn), nil
}

func (i *ipsec) device() string { return ipsecDevice }

func (i *ipsec) update(datapath Datapath, faults []Fault) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	peers, err := newIPsecPeers(i.node, datapath, faults, i.peers.associations)
	if err != nil {
		return fmt.Errorf("IPsec of node %s: %w", i.node, err)
	}
	if leaks := slices.ContainsFunc(peers.peers, func(p *ipsecPeer) bool { return p.leaked }); leaks && i.plain == nil {
		if i.plain, err = newPlainSender(i.namespace); err != nil {
			return err
		}
	}
	i.peers = peers
	return nil
}

func (i *ipsec) stats() Stats {
	i.mutex.RLock()
	defer i.mutex.RUnlock()
	stats := Stats{Errors: map[string]int64{}}
	for name, count := range i.errors {
		stats.Errors[name] = count
	}
	stats.States = i.peers.associations.states()
	return stats
}

func (i *ipsec) close() error {
	err := errors.Join(i.socket.Close(), i.tun.Close())
	i.loops.Wait()
	if i.plain != nil {
		err = errors.Join(err, i.plain.close())
	}
	return err
}

// sendAll encrypts what is routed to the device, until that is closed.
func (i *ipsec) sendAll() {
	packet := make([]byte, 1<<16)
	for {
		size, err := i.tun.Read(packet)
		if err != nil {
			return
		}
		i.count(i.send(packet[:size]))
	}
}

func (i *ipsec) send(packet []byte) error {
	destination, ok := destinationOf(packet)
	if !ok {
		return esp.OutStateProtoError
	}
	if destination.IsMulticast() || destination.IsLinkLocalUnicast() {
		return nil // the kernel's own talk about the device; it concerns no peer
	}
	i.mutex.RLock()
	peer, plain := i.peers.to(destination), i.plain
	i.mutex.RUnlock()
	// Cilium's default-drop policy: what is marked for encryption and fits no peer's policy is not sent in clear.
	if peer == nil || peer.spi == 0 {
		return esp.OutPolBlock
	}
	association := peer.outbound[peer.spi]
	if association == nil {
		return esp.OutNoStates
	}
	sealed, err := association.Seal(packet)
	if err != nil {
		return err
	}
	if peer.leaked {
		// A copy that cannot be sent is the fault's affair: the packet itself goes on encrypted.
		_ = plain.send(packet)
	}
	for _, each := range peer.faulty(sealed) {
		if _, err := i.socket.WriteToIP(each, &net.IPAddr{IP: peer.ip.AsSlice()}); err != nil {
			return err
		}
	}
	return nil
}

// receiveAll decrypts what comes as ESP, until the socket is closed.
func (i *ipsec) receiveAll() {
	buffer := make([]byte, 1<<16)
	for {
		size, from, err := i.socket.ReadFromIP(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as an ICMP message about what was sent
			continue
		}
		if source, ok := netip.AddrFromSlice(from.IP); ok {
			i.count(i.receive(buffer[:size], source.Unmap()))
		}
	}
}

func (i *ipsec) receive(packet []byte, source netip.Addr) error {
	spi, err := esp.SPI(packet)
	if err != nil {
		return err
	}
	i.mutex.RLock()
	peer := i.peers.byIP[source]
	i.mutex.RUnlock()
	if peer == nil || peer.inbound[spi] == nil {
		return esp.InNoStates
	}
	inner, err := peer.inbound[spi].Open(packet)
	if err != nil {
		return err
	}
	if _, err := i.tun.Write(inner); err != nil {
		return esp.InError
	}
	return nil
}

// count counts a dropped packet under the kernel's name for the reason.
func (i *ipsec) count(err error) {
	if err == nil || errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
		return
	}
	reason := esp.OutError
	errors.As(err, &reason)
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.errors[string(reason)]++
}
