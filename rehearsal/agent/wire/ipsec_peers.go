package wire

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"

	"wirecloak/rehearsal/agent/wire/esp"
)

// highestSPI is the highest key id of Cilium; after it comes 1.
const highestSPI = 15

// sendingSPI is the key id that packets to a peer are encrypted with: the older of both sides' (bpf/lib/ipsec.h), since a
// side that announces a key has the one before it too. Ids step by one, so next to 15, 1 is the newer. 0: one side has none.
func sendingSPI(own, announced uint32) uint32 {
	switch {
	case announced == highestSPI && own == 1, own == highestSPI && announced == 1:
		return highestSPI
	case announced == highestSPI:
		return own
	case own == highestSPI:
		return announced
	}
	return min(own, announced)
}

// associationID tells one security association from another. The key is part of it: where a boot id or the key of an id
// changes, the association is another one, which begins with sequence number 1.
type associationID struct {
	src, dst netip.Addr
	spi      uint32
	outbound bool
	// material is empty for a key that nobody else has.
	material string
}

// association is one direction between two nodes with one key.
type association struct {
	out *esp.Outbound
	in  *esp.Inbound
	// set aside: its peer is missing on order. Kept, since with numbers from 1 again the peer would take all for replays.
	aside bool
}

type associations map[associationID]association

// ipsecPeer is what a node needs to exchange packets with another.
type ipsecPeer struct {
	ip       netip.Addr
	podCIDRs []netip.Prefix
	// spi chooses among outbound ones; 0 where one side has no key.
	spi      uint32
	outbound map[uint32]*esp.Outbound
	inbound  map[uint32]*esp.Inbound
	// Faults in force towards it.
	missing, replayed, corrupted, leaked bool
}

// ipsecPeers are the peers of one datapath, with the associations between them and this node.
type ipsecPeers struct {
	peers        []*ipsecPeer
	byIP         map[netip.Addr]*ipsecPeer
	associations associations
}

// newIPsecPeers makes for each peer and each key an association in each direction; those of before that still fit go on.
func newIPsecPeers(node netip.Addr, datapath Datapath, faults []Fault, before associations) (ipsecPeers, error) {
	all := ipsecPeers{byIP: map[netip.Addr]*ipsecPeer{}, associations: associations{}}
	own := uint32(0)
	if len(datapath.Keys) > 0 {
		own = datapath.Keys[len(datapath.Keys)-1].SPI
	}
	for _, known := range datapath.Peers {
		peer := &ipsecPeer{
			ip:        known.IP,
			podCIDRs:  known.PodCIDRs,
			spi:       sendingSPI(own, known.SPI),
			outbound:  map[uint32]*esp.Outbound{},
			inbound:   map[uint32]*esp.Inbound{},
			missing:   faultFor(faults, PeerMissing, known.Name),
			replayed:  faultFor(faults, ReplayESP, known.Name),
			corrupted: faultFor(faults, CorruptESP, known.Name),
			leaked:    faultFor(faults, LeakBeside, known.Name),
		}
		keys := datapath.Keys
		if known.BootID == "" {
			keys = nil // not published yet: until then there is no key to share with it
		}
		for _, key := range keys {
			if err := all.join(peer, node, datapath.BootID, known.BootID, key, before); err != nil {
				return ipsecPeers{}, fmt.Errorf("peer %s: %w", known.Name, err)
			}
		}
		if faultFor(faults, WrongSPI, known.Name) && peer.spi != 0 {
			if err := all.misdirect(peer, node, before); err != nil {
				return ipsecPeers{}, fmt.Errorf("peer %s: %w", known.Name, err)
			}
		}
		if !peer.missing {
			all.peers = append(all.peers, peer)
			all.byIP[peer.ip] = peer
		}
	}
	return all, nil
}

// join makes both associations of one key.
func (all ipsecPeers) join(peer *ipsecPeer, node netip.Addr, bootID, peerBootID string, key IPsecKey, before associations) error {
	sending, err := esp.TunnelKey(key.Material, node, peer.ip, bootID, peerBootID)
	if err != nil {
		return err
	}
	receiving, err := esp.TunnelKey(key.Material, peer.ip, node, peerBootID, bootID)
	if err != nil {
		return err
	}
	out, err := all.keep(associationID{node, peer.ip, key.SPI, true, string(sending)}, peer.missing, before)
	if err != nil {
		return err
	}
	in, err := all.keep(associationID{peer.ip, node, key.SPI, false, string(receiving)}, peer.missing, before)
	peer.outbound[key.SPI], peer.inbound[key.SPI] = out.out, in.in
	return err
}

// misdirect makes the peer's packets leave with the next key id that is not loaded.
func (all ipsecPeers) misdirect(peer *ipsecPeer, node netip.Addr, before associations) error {
	wrong := peer.spi
	for peer.outbound[wrong] != nil {
		wrong = wrong%highestSPI + 1
	}
	// Under a key of its own: an AES-GCM key must never see the same number twice, not even in a fault.
	out, err := all.keep(associationID{src: node, dst: peer.ip, spi: wrong, outbound: true}, peer.missing, before)
	peer.spi, peer.outbound[wrong] = wrong, out.out
	return err
}

// keep takes over the association of before, else makes it.
func (all ipsecPeers) keep(id associationID, aside bool, before associations) (association, error) {
	kept, found := before[id]
	if !found {
		material := []byte(id.material)
		if len(material) == 0 {
			material = make([]byte, 20)
			rand.Read(material) // never fails
		}
		var err error
		if id.outbound {
			kept.out, err = esp.NewOutbound(id.spi, material, esp.CiliumOptions)
		} else {
			kept.in, err = esp.NewInbound(id.spi, material, esp.CiliumOptions)
		}
		if err != nil {
			return association{}, err
		}
	}
	kept.aside = aside
	all.associations[id] = kept
	return kept, nil
}

// to is the peer that a packet is for: by the node's address where the packet is a tunnel's, else by the pod's.
func (all ipsecPeers) to(destination netip.Addr) *ipsecPeer {
	if peer := all.byIP[destination]; peer != nil {
		return peer
	}
	for _, peer := range all.peers {
		for _, podCIDR := range peer.podCIDRs {
			if podCIDR.Contains(destination) {
				return peer
			}
		}
	}
	return nil
}

// faulty is what is really sent of an ESP packet.
func (p *ipsecPeer) faulty(packet []byte) [][]byte {
	var all [][]byte
	if p.corrupted {
		// Ahead of the good one, or it would fall to the window before its integrity is looked at.
		damaged := bytes.Clone(packet)
		damaged[len(damaged)-1] ^= 1
		all = append(all, damaged)
	}
	all = append(all, packet)
	if p.replayed {
		all = append(all, packet)
	}
	return all
}

// states tells of the associations in a steady order.
func (all associations) states() []XfrmState {
	var states []XfrmState
	for id, association := range all {
		if association.aside {
			continue
		}
		var counts esp.Counts
		if id.outbound {
			counts = association.out.Counts()
		} else {
			counts = association.in.Counts()
		}
		states = append(states, XfrmState{
			Src: id.src, Dst: id.dst, SPI: id.spi, Outbound: id.outbound,
			Sequence: counts.Sequence, Packets: counts.Packets, Bytes: counts.Bytes,
		})
	}
	slices.SortFunc(states, func(a, b XfrmState) int {
		return cmp.Or(a.Src.Compare(b.Src), a.Dst.Compare(b.Dst), cmp.Compare(a.SPI, b.SPI))
	})
	return states
}
