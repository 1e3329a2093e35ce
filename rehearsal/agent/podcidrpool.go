package main

import (
	"encoding/binary"
	"net/netip"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podCIDRPool hands out parts of cluster-pool-ipv4-cidr, as Cilium's operator does in that mode of IPAM.
type podCIDRPool struct {
	pool   string
	byNode map[string]string
	taken  map[string]bool
	next   uint32
}

// allocate gives a node its CIDR, the same at each call, or "" where the pool is used up or no IPv4 CIDR. What the
// CiliumNodes hold already stays theirs, as after a restart of the operator. CIDRs of nodes that left are not given again
// while the process runs.
func (p *podCIDRPool) allocate(pool string, bits int, node string, held func() []*unstructured.Unstructured) string {
	prefix, err := netip.ParsePrefix(pool)
	if err != nil || !prefix.Addr().Is4() || bits < prefix.Bits() || bits > 30 {
		return ""
	}
	if p.pool != pool {
		*p = podCIDRPool{pool: pool, byNode: map[string]string{}, taken: map[string]bool{}}
	}
	if cidr, ok := p.byNode[node]; ok {
		return cidr
	}
	for _, other := range held() {
		p.keep(prefix, bits, other)
	}
	if cidr, ok := p.byNode[node]; ok {
		return cidr
	}
	base := prefix.Masked().Addr().As4()
	for ; p.next>>(bits-prefix.Bits()) == 0; p.next++ {
		var octets [4]byte
		binary.BigEndian.PutUint32(octets[:], binary.BigEndian.Uint32(base[:])+p.next<<(32-bits))
		if cidr := netip.PrefixFrom(netip.AddrFrom4(octets), bits).String(); !p.taken[cidr] {
			p.byNode[node], p.taken[cidr] = cidr, true
			return cidr
		}
	}
	return ""
}

// keep takes notice of what a CiliumNode holds of the pool.
func (p *podCIDRPool) keep(pool netip.Prefix, bits int, node *unstructured.Unstructured) {
	cidrs, _, _ := unstructured.NestedStringSlice(node.Object, "spec", "ipam", "podCIDRs")
	cidr := firstPrefix(cidrs)
	_, known := p.byNode[node.GetName()]
	if known || !cidr.IsValid() || cidr.Bits() != bits || !pool.Contains(cidr.Addr()) || p.taken[cidr.String()] {
		return
	}
	p.byNode[node.GetName()], p.taken[cidr.String()] = cidr.String(), true
}
