package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"wirecloak/rehearsal/agent/wire"
)

// unencrypted is how Cilium names drop reason 195 (pkg/monitor/api/drop.go): what strict mode drops.
const unencrypted = "Traffic is unencrypted"

// bpfMetric is an entry of `cilium-dbg bpf metrics list -o json` (cilium-dbg/cmd/bpf_metrics_list.go).
type bpfMetric struct {
	Reason    string `json:"reason"`
	Direction string `json:"direction"`
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`
	Line      int    `json:"line"`
	File      string `json:"file"`
}

// metric is Cilium's models.Metric, which leaves a value of 0 out.
type metric struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
	Value  float64           `json:"value,omitempty"`
}

// bpfMetrics are the datapath's counters, of which there are only those of drops here. Without one, Cilium prints no document.
func (s nodeState) bpfMetrics() (document any, text string) {
	var all []bpfMetric
	s.eachDrop(func(direction string, drops wire.Drops) {
		all = append(all, bpfMetric{unencrypted, strings.ToLower(direction), drops.Packets, drops.Bytes, 0, "bpf_host.c"})
	})
	if all == nil {
		return nil, "No entries found.\n"
	}
	return all, table("REASON\tDIRECTION\tPACKETS\tBYTES\tLINE\tFILE", all, func(m bpfMetric) string {
		return fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%s", m.Reason, strings.ToUpper(m.Direction), m.Packets, m.Bytes, m.Line, m.File)
	})
}

// metrics are the agent's, of which there are only those of drops here.
func (s nodeState) metrics() (document any, text string) {
	all := []metric{}
	s.eachDrop(func(direction string, drops wire.Drops) {
		labels := map[string]string{"direction": direction, "reason": unencrypted}
		all = append(all, metric{"cilium_drop_bytes_total", labels, float64(drops.Bytes)}, metric{"cilium_drop_count_total", labels, float64(drops.Packets)})
	})
	return all, table("Metric\tLabels\tValue", all, func(m metric) string {
		return fmt.Sprintf("%s\tdirection=%q reason=%q\t%f", m.Name, m.Labels["direction"], m.Labels["reason"], m.Value)
	})
}

// eachDrop calls for each direction in which something was dropped.
func (s nodeState) eachDrop(call func(direction string, drops wire.Drops)) {
	if s.stats == nil {
		return
	}
	if drops := s.stats.Unencrypted.Egress; drops.Packets > 0 {
		call("EGRESS", drops)
	}
	if drops := s.stats.Unencrypted.Ingress; drops.Packets > 0 {
		call("INGRESS", drops)
	}
}

func table[T any](title string, rows []T, line func(T) string) string {
	var out strings.Builder
	writer := tabwriter.NewWriter(&out, 5, 0, 3, ' ', 0)
	fmt.Fprintln(writer, title)
	for _, row := range rows {
		fmt.Fprintln(writer, line(row))
	}
	writer.Flush() // a builder takes everything
	return out.String()
}
