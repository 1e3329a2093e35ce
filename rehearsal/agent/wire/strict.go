package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Strict is Cilium's strict mode, which drops plaintext instead of sending or accepting it.
type Strict struct {
	// Egress: nothing leaves in clear from one address of this range to another. Not valid: off.
	Egress netip.Prefix
	// Ingress: no pod's packet and no tunnel's is taken from the cable in clear.
	Ingress bool
}

// StrictDrops counts packets and bytes that strict mode dropped.
type StrictDrops struct{ Egress, Ingress Drops }

// Drops in one direction.
type Drops struct{ Packets, Bytes uint64 }

// strictTable is the name of our table in a node's namespace.
const strictTable = "wirecloak_strict"

// strictRules is the table's content for nft; empty where strict mode is off. Cilium checks in BPF at the same place, the
// network device (strict_allow in bpf/lib/encrypt.h): what is encrypted has the nodes' addresses there.
func strictRules(podCIDR netip.Prefix, datapath Datapath, faults []Fault) string {
	strict := datapath.Strict
	if (!strict.Egress.IsValid() && !strict.Ingress) || faultFor(faults, StrictOff, "") {
		return ""
	}
	var nodes, pods, leaks []string
	for _, peer := range datapath.Peers {
		nodes = append(nodes, peer.IP.String())
		for _, cidr := range ipv4(peer.PodCIDRs) {
			pods = append(pods, cidr.String())
			if faultFor(faults, Leak, peer.Name) || faultFor(faults, LeakBeside, peer.Name) {
				leaks = append(leaks, cidr.String())
			}
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "flush chain ip %[1]s leaving\nflush chain ip %[1]s arriving\n", strictTable)
	add := func(chain, format string, values ...any) {
		fmt.Fprintf(&text, "add rule ip %s %s %s\n", strictTable, chain, fmt.Sprintf(format, values...))
	}
	if strict.Egress.IsValid() {
		if len(leaks) > 0 { // on order: the fault is stronger
			add("leaving", "ip daddr %s accept", setOf(leaks))
		}
		if len(nodes) > 0 { // Cilium: pods may speak to nodes, where addresses overlap
			add("leaving", "ip daddr %s accept", setOf(nodes))
		}
		// What the node itself says to pods comes from its cilium_host, and Cilium lets it pass.
		add("leaving", "oifname %q ip saddr %[2]s ip daddr %[2]s ip saddr != %s counter name egress drop", cableDevice, strict.Egress, hostAddress(podCIDR))
	}
	if strict.Ingress {
		add("arriving", "iifname %q udp dport %d counter name ingress drop", cableDevice, tunnelPort)
		if len(pods) > 0 {
			add("arriving", "iifname %q ip saddr %s counter name ingress drop", cableDevice, setOf(pods))
		}
	}
	return text.String()
}

// setOf is an anonymous set of nft, in an order that does not depend on the peers'.
func setOf(addresses []string) string {
	slices.Sort(addresses)
	return "{ " + strings.Join(slices.Compact(addresses), ", ") + " }"
}

// setStrict replaces the rules in one transaction; the counters go on.
func (n *Node) setStrict(rules string) error {
	if n.strict == rules {
		return nil
	}
	text := fmt.Sprintf("add table ip %[1]s\ndelete table ip %[1]s\n", strictTable)
	if rules != "" {
		text = fmt.Sprintf(`add table ip %[1]s
add counter ip %[1]s egress
add counter ip %[1]s ingress
add chain ip %[1]s leaving { type filter hook postrouting priority 0; policy accept; }
add chain ip %[1]s arriving { type filter hook prerouting priority 0; policy accept; }
%[2]s`, strictTable, rules)
	}
	if _, err := n.nft(text, "-f", "-"); err != nil {
		return fmt.Errorf("strict mode cannot be set: %w", err)
	}
	n.strict = rules
	return nil
}

var counterOf = regexp.MustCompile(`counter (egress|ingress) \{\s*packets (\d+) bytes (\d+)`)

// strictDrops reads the counters; zero where strict mode is off.
func (n *Node) strictDrops() StrictDrops {
	var drops StrictDrops
	if n.strict == "" || n.isGone {
		return drops
	}
	text, err := n.nft("", "list", "counters", "table", "ip", strictTable)
	if err != nil {
		return drops
	}
	for _, found := range counterOf.FindAllStringSubmatch(text, -1) {
		packets, _ := strconv.ParseUint(found[2], 10, 64)
		bytes, _ := strconv.ParseUint(found[3], 10, 64)
		if found[1] == "egress" {
			drops.Egress = Drops{packets, bytes}
		} else {
			drops.Ingress = Drops{packets, bytes}
		}
	}
	return drops
}

// nft runs the program in the node's namespace.
func (n *Node) nft(input string, arguments ...string) (string, error) {
	var output, complaint strings.Builder
	nft := exec.Command("nft", arguments...)
	nft.Stdin, nft.Stdout, nft.Stderr = strings.NewReader(input), &output, &complaint
	err := n.namespace.Start(nft)
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("it takes the program nft (Debian: nftables): %w", err)
	}
	if err == nil {
		err = nft.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return output.String(), nil
}
