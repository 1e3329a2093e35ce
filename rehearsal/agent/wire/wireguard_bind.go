package wire

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
)

// wireguardBind is the UDP socket of a node's WireGuard. The library's own opens its socket wherever its goroutine happens to
// run, and takes 128 buffers of 64 KiB for each; this one opens it in the node's namespace and takes one packet at a time.
// IPv4 only, as the rehearsal's node addresses are; the packets inside may be IPv6.
type wireguardBind struct {
	namespace *Namespace
	socket    atomic.Pointer[net.UDPConn]
	// handshakeDead has the addresses with which no handshake is exchanged.
	handshakeDead atomic.Pointer[map[netip.Addr]bool]
}

func (b *wireguardBind) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	config := net.ListenConfig{Control: setEncryptionMark}
	var packets net.PacketConn
	err := b.namespace.Do(func() (err error) {
		packets, err = config.ListenPacket(context.Background(), "udp4", fmt.Sprintf("0.0.0.0:%d", port))
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	socket := packets.(*net.UDPConn)
	b.socket.Store(socket)
	receive := func(buffers [][]byte, sizes []int, endpoints []conn.Endpoint) (int, error) {
		for {
			size, from, err := socket.ReadFromUDPAddrPort(buffers[0])
			if err != nil {
				return 0, err
			}
			if b.loses(buffers[0][:size], from.Addr()) {
				continue
			}
			sizes[0], endpoints[0] = size, wireguardEndpoint(from)
			return 1, nil
		}
	}
	return []conn.ReceiveFunc{receive}, socket.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

// setEncryptionMark marks the socket before it is bound, so that no packet leaves it without.
func setEncryptionMark(_, _ string, socket syscall.RawConn) error {
	var failure error
	err := socket.Control(func(descriptor uintptr) {
		failure = unix.SetsockoptInt(int(descriptor), unix.SOL_SOCKET, unix.SO_MARK, encryptionMark)
	})
	if err != nil {
		return err
	}
	return failure
}

func (b *wireguardBind) Close() error {
	if socket := b.socket.Swap(nil); socket != nil {
		return socket.Close()
	}
	return nil
}

func (b *wireguardBind) Send(packets [][]byte, endpoint conn.Endpoint) error {
	socket := b.socket.Load()
	if socket == nil {
		return net.ErrClosed
	}
	to := netip.AddrPort(endpoint.(wireguardEndpoint))
	for _, packet := range packets {
		// What is lost counts as sent, as it would where somebody else drops it on the way.
		if b.loses(packet, to.Addr()) {
			continue
		}
		if _, err := socket.WriteToUDPAddrPort(packet, to); err != nil {
			return err
		}
	}
	return nil
}

// loses tells whether a packet to or from a node is lost by the fault HandshakeDead.
func (b *wireguardBind) loses(packet []byte, node netip.Addr) bool {
	dead := b.handshakeDead.Load()
	return dead != nil && (*dead)[node] && isHandshake(packet)
}

// isHandshake tells initiation (1), response (2) and cookie reply (3) from transport data (4).
func isHandshake(packet []byte) bool {
	if len(packet) < 4 {
		return false
	}
	kind := binary.LittleEndian.Uint32(packet)
	return kind >= device.MessageInitiationType && kind <= device.MessageCookieReplyType
}

func (b *wireguardBind) ParseEndpoint(text string) (conn.Endpoint, error) {
	endpoint, err := netip.ParseAddrPort(text)
	return wireguardEndpoint(endpoint), err
}

// SetMark changes nothing: the socket has its mark from the start.
func (b *wireguardBind) SetMark(uint32) error { return nil }

func (b *wireguardBind) BatchSize() int { return 1 }

// wireguardEndpoint is where a peer is reached; the kernel chooses the source address.
type wireguardEndpoint netip.AddrPort

func (e wireguardEndpoint) ClearSrc()           {}
func (e wireguardEndpoint) SrcToString() string { return "" }
func (e wireguardEndpoint) SrcIP() netip.Addr   { return netip.Addr{} }
func (e wireguardEndpoint) DstToString() string { return netip.AddrPort(e).String() }
func (e wireguardEndpoint) DstIP() netip.Addr   { return netip.AddrPort(e).Addr() }
func (e wireguardEndpoint) DstToBytes() []byte {
	bytes, _ := netip.AddrPort(e).MarshalBinary()
	return bytes
}
