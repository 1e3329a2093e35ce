package main

import "net/netip"

// podAddresses hands out a node's pod addresses. One that was given back is used again only after all others.
type podAddresses struct {
	taken map[netip.Addr]bool
	last  netip.Addr
}

// take gives an address of an IPv4 CIDR, or false where all are taken. The first is cilium_host's, the last for broadcasts.
func (p *podAddresses) take(cidr netip.Prefix) (netip.Addr, bool) {
	if !cidr.IsValid() || !cidr.Addr().Is4() {
		return netip.Addr{}, false
	}
	if p.taken == nil {
		p.taken = map[netip.Addr]bool{}
	}
	first := cidr.Masked().Addr().Next().Next()
	candidate := p.last
	for range 1 << (32 - cidr.Bits()) {
		if !cidr.Contains(candidate) || !cidr.Contains(candidate.Next().Next()) {
			candidate = first
		} else {
			candidate = candidate.Next()
		}
		if cidr.Contains(candidate.Next()) && !p.taken[candidate] {
			p.taken[candidate], p.last = true, candidate
			return candidate, true
		}
	}
	return netip.Addr{}, false
}

func (p *podAddresses) giveBack(address netip.Addr) { delete(p.taken, address) }
