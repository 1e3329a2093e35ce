package wire

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
)

func TestSendsWithTheOlderOfBothKeyIDs(t *testing.T) {
	for _, c := range []struct{ own, announced, want uint32 }{
		{3, 3, 3}, {4, 3, 3}, {3, 4, 3},
		{15, 15, 15}, {1, 15, 15}, {15, 1, 15}, {14, 15, 14}, {15, 14, 14}, {1, 1, 1}, {2, 1, 1},
		{0, 3, 0}, {3, 0, 0}, {0, 15, 0}, {15, 0, 0}, {0, 0, 0},
	} {
		if got := sendingSPI(c.own, c.announced); got != c.want {
			t.Errorf("own %d, announced %d: %d, where %d was expected", c.own, c.announced, got, c.want)
		}
	}
}

var ownNode = ipsecPeerOf(1, 3)

func ipsecPeersOf(t *testing.T, datapath Datapath, before associations, faults ...Fault) ipsecPeers {
	t.Helper()
	all, err := newIPsecPeers(ownNode.IP, datapath, faults, before)
	must(t, err)
	return all
}

func TestMakesBothDirectionsForEachPeerAndKey(t *testing.T) {
	keys := []IPsecKey{ipsecKey(3, 20), ipsecKey(4, 20)}
	all := ipsecPeersOf(t, ipsecBetween(ownNode, keys, ipsecPeerOf(2, 3), ipsecPeerOf(3, 4)), nil)
	states := all.associations.states()
	if len(states) != 8 {
		t.Fatalf("%d states: %+v", len(states), states)
	}
	for _, state := range states {
		if fromUs := state.Src == ownNode.IP; fromUs != state.Outbound || fromUs == (state.Dst == ownNode.IP) {
			t.Errorf("%+v", state)
		}
	}
	if spi := all.byIP[ipsecPeerOf(2, 3).IP].spi; spi != 3 {
		t.Errorf("peer 2 is still at 3, and is sent %d", spi)
	}
	if spi := all.byIP[ipsecPeerOf(3, 4).IP].spi; spi != 4 {
		t.Errorf("peer 3 is at 4, and is sent %d", spi)
	}
}

func TestWhatStaysKeepsItsNumbersAndWhatChangedBeginsAnew(t *testing.T) {
	old, new := []IPsecKey{ipsecKey(3, 20)}, []IPsecKey{ipsecKey(3, 20), ipsecKey(4, 20)}
	peer := ipsecPeerOf(2, 3)
	before := ipsecPeersOf(t, ipsecBetween(ownNode, old, peer), nil)
	_, err := before.peers[0].outbound[3].Seal(anyPacket())
	must(t, err)

	rebooted, bootedSelf := peer, ownNode
	rebooted.BootID = "99999999-0000-4000-8000-000000000000"
	bootedSelf.BootID = rebooted.BootID
	otherKey := ipsecKey(3, 20)
	otherKey.Material[0]++
	for name, c := range map[string]struct {
		datapath Datapath
		kept     bool
	}{
		"the same again":         {ipsecBetween(ownNode, old, peer), true},
		"a second key":           {ipsecBetween(ownNode, new, peer), true},
		"another peer":           {ipsecBetween(ownNode, old, peer, ipsecPeerOf(3, 3)), true},
		"another id announced":   {ipsecBetween(ownNode, new, ipsecPeerOf(2, 4)), true},
		"the peer booted":        {ipsecBetween(ownNode, old, rebooted), false},
		"this node booted":       {ipsecBetween(bootedSelf, old, peer), false},
		"another key of that id": {ipsecBetween(ownNode, []IPsecKey{otherKey}, peer), false},
	} {
		after := ipsecPeersOf(t, c.datapath, before.associations)
		if kept := after.byIP[peer.IP].outbound[3] == before.peers[0].outbound[3]; kept != c.kept {
			t.Errorf("%s: the outbound association is kept: %v", name, kept)
		}
		if kept := after.byIP[peer.IP].inbound[3] == before.peers[0].inbound[3]; kept != c.kept {
			t.Errorf("%s: the inbound association is kept: %v", name, kept)
		}
	}
	if left := ipsecPeersOf(t, ipsecBetween(ownNode, old), before.associations).associations; len(left) != 0 {
		t.Errorf("of a peer that went, %d associations are left", len(left))
	}
}

func TestFindsThePeerByNodeAddressAndByPodCIDR(t *testing.T) {
	all := ipsecPeersOf(t, ipsecBetween(ownNode, []IPsecKey{ipsecKey(3, 20)}, ipsecPeerOf(2, 3), ipsecPeerOf(3, 3)), nil)
	for destination, want := range map[string]string{"172.30.0.3": "172.30.0.3", "10.244.2.9": "172.30.0.2", "10.244.3.1": "172.30.0.3"} {
		if peer := all.to(netip.MustParseAddr(destination)); peer == nil || peer.ip.String() != want {
			t.Errorf("%s goes to %+v, where %s was expected", destination, peer, want)
		}
	}
	for _, destination := range []string{"172.30.0.1", "172.30.0.4", "10.244.4.1", "192.0.2.1"} {
		if peer := all.to(netip.MustParseAddr(destination)); peer != nil {
			t.Errorf("%s goes to %s, where it is for nobody", destination, peer.ip)
		}
	}
}

func TestAWrongKeyIDIsOneThatNobodyHas(t *testing.T) {
	keys := []IPsecKey{ipsecKey(15, 20), ipsecKey(1, 20)}
	datapath := ipsecBetween(ownNode, keys, ipsecPeerOf(2, 15), ipsecPeerOf(3, 15))
	healthy := ipsecPeersOf(t, datapath, nil)
	fault := Fault{Kind: WrongSPI, Peer: "node-2"}
	ill := ipsecPeersOf(t, datapath, healthy.associations, fault)
	if spi := ill.byIP[ipsecPeerOf(2, 0).IP].spi; spi != 2 {
		t.Errorf("15 is announced and 1 loaded; sent is %d", spi)
	}
	if spi := ill.byIP[ipsecPeerOf(3, 0).IP].spi; spi != 15 {
		t.Errorf("the other peer is sent %d", spi)
	}
	again := ipsecPeersOf(t, datapath, ill.associations, fault)
	if again.peers[0].outbound[2] != ill.peers[0].outbound[2] {
		t.Error("the wrong association begins anew with each update")
	}
	cured := ipsecPeersOf(t, datapath, again.associations)
	if !maps.Equal(cured.associations, healthy.associations) {
		t.Error("the fault leaves something behind")
	}
}

func TestAMissingPeerHasNoStatesAndComesBackWithItsNumbers(t *testing.T) {
	datapath := ipsecBetween(ownNode, []IPsecKey{ipsecKey(3, 20)}, ipsecPeerOf(2, 3), ipsecPeerOf(3, 3))
	healthy := ipsecPeersOf(t, datapath, nil)
	ill := ipsecPeersOf(t, datapath, healthy.associations, Fault{Kind: PeerMissing, Peer: "node-2"})
	missing := ipsecPeerOf(2, 0).IP
	if ill.byIP[missing] != nil || ill.to(missing) != nil {
		t.Error("the missing peer is still known")
	}
	if slices.ContainsFunc(ill.associations.states(), func(s XfrmState) bool { return s.Src == missing || s.Dst == missing }) {
		t.Error("the missing peer has states")
	}
	if cured := ipsecPeersOf(t, datapath, ill.associations); !maps.Equal(cured.associations, healthy.associations) {
		t.Error("it comes back with other associations")
	}
}

func TestAPeerWithoutABootIDHoldsUpNobody(t *testing.T) {
	early := ipsecPeerOf(2, 3)
	early.BootID = ""
	all := ipsecPeersOf(t, ipsecBetween(ownNode, []IPsecKey{ipsecKey(3, 20)}, early, ipsecPeerOf(3, 3)), nil)
	if peer := all.byIP[early.IP]; peer == nil || len(peer.outbound)+len(peer.inbound) != 0 {
		t.Errorf("the peer without a boot id: %+v", peer)
	}
	if peer := all.byIP[ipsecPeerOf(3, 3).IP]; len(peer.outbound) != 1 || len(peer.inbound) != 1 {
		t.Errorf("the other: %+v", peer)
	}
}

func TestRefusesAKeyThatIsNone(t *testing.T) {
	if _, err := newIPsecPeers(ownNode.IP, ipsecBetween(ownNode, []IPsecKey{ipsecKey(3, 16)}, ipsecPeerOf(2, 3)), nil, nil); err == nil {
		t.Error("a key of 16 bytes was taken")
	}
}

func anyPacket() []byte { return append([]byte{0x45}, make([]byte, 19)...) }
