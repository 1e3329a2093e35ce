package esp

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"net/netip"
	"testing"
)

const (
	bootA = "11111111-2222-4333-8444-555555555555"
	bootB = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

var (
	nodeA = netip.MustParseAddr("172.30.0.2")
	nodeB = netip.MustParseAddr("172.30.0.3")
)

func TestDerivesTunnelKeysFromPreSharedKeySenderAndReceiver(t *testing.T) {
	short, long := bytes.Repeat([]byte{7}, 20), bytes.Repeat([]byte{7}, 36)
	tail := "\xac\x1e\x00\x02\xac\x1e\x00\x03" + bootA + bootB
	wantShort, wantLong := sha256.Sum256([]byte(string(short)+tail)), sha512.Sum512([]byte(string(long)+tail))
	for _, c := range []struct{ preShared, want []byte }{{short, wantShort[:20]}, {long, wantLong[:36]}} {
		got, err := TunnelKey(c.preShared, nodeA, nodeB, bootA, bootB)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%d bytes: derived %x (%v), where %x was expected", len(c.preShared), got, err, c.want)
		}
	}
}

func TestEveryIngredientOfATunnelKeyCounts(t *testing.T) {
	preShared := bytes.Repeat([]byte{7}, 20)
	type ingredients struct {
		preShared        []byte
		sender, receiver netip.Addr
		bootIDs          [2]string
	}
	seen := map[string]bool{}
	variants := []ingredients{
		{preShared, nodeA, nodeB, [2]string{bootA, bootB}},
		{preShared, nodeB, nodeA, [2]string{bootB, bootA}}, // the other direction
		{preShared, nodeA, nodeB, [2]string{bootA, bootA}},
		{preShared, nodeA, nodeB, [2]string{bootB, bootB}},
		{preShared, nodeA, nodeA, [2]string{bootA, bootB}},
		{bytes.Repeat([]byte{8}, 20), nodeA, nodeB, [2]string{bootA, bootB}},
	}
	for _, v := range variants {
		key, err := TunnelKey(v.preShared, v.sender, v.receiver, v.bootIDs[0], v.bootIDs[1])
		if err != nil {
			t.Fatal(err)
		}
		seen[string(key)] = true
	}
	if len(seen) != len(variants) {
		t.Errorf("%d variants have %d keys", len(variants), len(seen))
	}
}

func TestTakesAMappedAddressForTheIPv4AddressItIs(t *testing.T) {
	preShared := bytes.Repeat([]byte{7}, 20)
	plain, err := TunnelKey(preShared, nodeA, nodeB, bootA, bootB)
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := TunnelKey(preShared, netip.AddrFrom16(nodeA.As16()), nodeB, bootA, bootB)
	if err != nil || !bytes.Equal(plain, mapped) {
		t.Errorf("%x and %x (%v)", plain, mapped, err)
	}
}

func TestRefusesABootIDThatIsNone(t *testing.T) {
	if _, err := TunnelKey(make([]byte, 20), nodeA, nodeB, bootA, "short"); err == nil {
		t.Error("a short boot id was taken")
	}
}
