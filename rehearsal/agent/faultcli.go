package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"

	"wirecloak/rehearsal/agent/wire"
)

// events happen once, so that none of them is listed.
var events = map[string]string{"reboot": "%s boots again", "agent-crash": "the agent of %s was killed, and starts again"}

// faultCommand is `wirecloak-agent faults`: list, clear, set one more, or let something happen.
func faultCommand(ctx context.Context, dir string, words []string, out io.Writer) error {
	ordered := []wire.Fault{}
	if err := control(ctx, dir, http.MethodGet, "/faults", nil, &ordered); err != nil {
		return err
	}
	switch {
	case len(words) == 0 || (len(words) == 1 && words[0] == "list"):
	case len(words) == 1 && words[0] == "clear":
		ordered = []wire.Fault{}
		if err := control(ctx, dir, http.MethodPut, "/faults", ordered, &ordered); err != nil {
			return err
		}
	case events[words[0]] != "" && len(words) == 2:
		order := eventOrder{Node: words[1]}
		if err := control(ctx, dir, http.MethodPost, "/"+words[0], order, &order); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, events[words[0]]+"\n", words[1])
		return err
	case words[0] == "set":
		fault, err := faultOf(words[1:])
		if err != nil {
			return err
		}
		if err := control(ctx, dir, http.MethodPut, "/faults", withFault(ordered, fault), &ordered); err != nil {
			return err
		}
	default:
		return errors.New(usage)
	}
	if len(ordered) == 0 {
		_, err := fmt.Fprintln(out, "no faults are ordered")
		return err
	}
	for _, fault := range ordered {
		fmt.Fprintln(out, describeFault(fault))
	}
	return nil
}

// faultOf reads KIND NODE [--peer NODE] [--percent N] [--seconds N].
func faultOf(words []string) (wire.Fault, error) {
	if len(words) < 2 {
		return wire.Fault{}, errors.New(usage)
	}
	fault := wire.Fault{Kind: wire.FaultKind(words[0]), Node: words[1]}
	flags := flag.NewFlagSet("faults set", flag.ContinueOnError)
	flags.StringVar(&fault.Peer, "peer", "", "the other node that it is limited to")
	flags.IntVar(&fault.Percent, "percent", 0, "how much is lost")
	flags.IntVar(&fault.Seconds, "seconds", 0, "how far the clock is off")
	if err := flags.Parse(words[2:]); err != nil {
		return wire.Fault{}, err
	}
	if flags.NArg() > 0 {
		return wire.Fault{}, fmt.Errorf("%q is too much", flags.Args())
	}
	return fault, nil
}

// withFault adds one, in place of the same with another number.
func withFault(ordered []wire.Fault, fault wire.Fault) []wire.Fault {
	kept := []wire.Fault{}
	for _, other := range ordered {
		if other.Kind != fault.Kind || other.Node != fault.Node || other.Peer != fault.Peer {
			kept = append(kept, other)
		}
	}
	return append(kept, fault)
}

func describeFault(fault wire.Fault) string {
	text := fmt.Sprintf("%s at %s", fault.Kind, fault.Node)
	if fault.Peer != "" {
		text += " towards " + fault.Peer
	}
	if fault.Percent != 0 {
		text += fmt.Sprintf(", %d %%", fault.Percent)
	}
	if fault.Seconds != 0 {
		text += fmt.Sprintf(", %+d s", fault.Seconds)
	}
	return text
}

// control asks the control socket.
func control(ctx context.Context, dir, method, path string, body, into any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://rehearsal"+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	response, err := controlClient(dir).Do(request)
	if err != nil {
		return fmt.Errorf("the rehearsal cluster does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		message, _ := io.ReadAll(response.Body)
		return errors.New(strings.TrimSpace(string(message)))
	}
	return json.NewDecoder(response.Body).Decode(into)
}
