package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// ipsecSide is one of two nodes on one cable, each with a pod address of its own.
type ipsecSide struct{ wireguardSide }

// newIPsecPair gives them once their cable works, which it does not at once; the second answers in its pod.
func newIPsecPair(t *testing.T) (ipsecSide, ipsecSide) {
	t.Helper()
	a, b := newWireguardPair(t)
	b.echo(t)
	a.routeThrough(t, "eth0", b)
	b.routeThrough(t, "eth0", a)
	must(t, a.says("in clear", b, soon))
	return ipsecSide{a}, ipsecSide{b}
}

// ipsecPeerOf is a peer of that number, which announces the key id.
func ipsecPeerOf(number byte, spi uint32) Peer {
	return Peer{
		Name: fmt.Sprintf("node-%d", number), IP: netip.AddrFrom4([4]byte{172, 30, 0, number}), SPI: spi,
		PodCIDRs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244, number, 0}), 24)},
		BootID:   fmt.Sprintf("%08d-0000-4000-8000-000000000000", number),
	}
}

func ipsecKey(spi uint32, length int) IPsecKey {
	return IPsecKey{SPI: spi, Material: bytes.Repeat([]byte{byte(spi)}, length)}
}

// ipsecBetween is the datapath of a node that knows the others.
func ipsecBetween(self Peer, keys []IPsecKey, peers ...Peer) Datapath {
	return Datapath{Encryption: IPsec, Keys: keys, BootID: self.BootID, Peers: peers}
}

// announcing is the side as a peer that announces the key id.
func (s ipsecSide) announcing(spi uint32) Peer {
	return ipsecPeerOf(s.self.IP.As4()[3], spi)
}

// encrypt starts our IPsec on the side, with one key, for what goes to the other's pods.
func (s ipsecSide) encrypt(t *testing.T, other ipsecSide, keys ...IPsecKey) *ipsec {
	t.Helper()
	encryptor, err := newIPsec(s.Namespace, s.self.IP)
	must(t, err)
	t.Cleanup(func() { must(t, encryptor.close()) })
	must(t, encryptor.update(s.knowing(keys, other), nil))
	s.routeThrough(t, encryptor.device(), other.wireguardSide)
	return encryptor.(*ipsec)
}

// knowing is the side's datapath where the other announces the last of the keys.
func (s ipsecSide) knowing(keys []IPsecKey, other ipsecSide) Datapath {
	spi := keys[len(keys)-1].SPI
	return ipsecBetween(s.announcing(spi), keys, other.announcing(spi))
}

// espFrame is one ESP packet of a recording.
type espFrame struct {
	from     netip.Addr
	spi      uint32
	sequence uint32
	// inVXLAN: inside a packet to the tunnel's port.
	inVXLAN bool
}

// esp are the ESP packets in a recording; the veth pair shows each once.
func (r *recording) esp() []espFrame {
	var found []espFrame
	for _, frame := range r.all() {
		packet, inVXLAN := frame[14:], false
		if binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP {
			continue
		}
		if packet[9] == unix.IPPROTO_UDP && binary.BigEndian.Uint16(packet[22:]) == tunnelPort {
			packet, inVXLAN = packet[20+8+8+14:], true
		}
		if packet[9] == unix.IPPROTO_ESP {
			found = append(found, espFrame{
				netip.AddrFrom4([4]byte(packet[12:16])), binary.BigEndian.Uint32(packet[20:]), binary.BigEndian.Uint32(packet[24:]), inVXLAN,
			})
		}
	}
	return found
}
