package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"wirecloak/rehearsal/agent/wire"
)

// controlSocket is in the cluster's folder, for its owner alone: who may write to it may let anything go wrong.
const controlSocket = "control.sock"

// serveControl answers on the control socket until the context ends: GET /wire, GET /faults, PUT /faults, POST /reboot,
// POST /agent-crash.
func serveControl(ctx context.Context, dir string, r *runner) error {
	path := filepath.Join(dir, controlSocket)
	// Left by a process that was killed.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /wire", func(response http.ResponseWriter, _ *http.Request) { answer(response, r.network.state()) })
	mux.HandleFunc("GET /faults", func(response http.ResponseWriter, _ *http.Request) { answer(response, r.world.orderedFaults()) })
	mux.HandleFunc("PUT /faults", func(response http.ResponseWriter, request *http.Request) {
		decoder := json.NewDecoder(request.Body)
		decoder.DisallowUnknownFields()
		ordered := []wire.Fault{}
		if err := decoder.Decode(&ordered); err != nil {
			http.Error(response, "the body is no list of faults: "+err.Error(), http.StatusBadRequest)
			return
		}
		if err := r.orderFaults(request.Context(), ordered); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		answer(response, ordered)
	})
	mux.HandleFunc("POST /reboot", happens(r.reboot))
	mux.HandleFunc("POST /agent-crash", happens(r.crash))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the control socket answers no more", "err", err)
		}
	}()
	return nil
}

// eventOrder is the body of an order for something that happens once, at a node.
type eventOrder struct {
	Node string `json:"node"`
}

func happens(event func(ctx context.Context, node string) error) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		var order eventOrder
		if err := json.NewDecoder(request.Body).Decode(&order); err != nil {
			http.Error(response, "the body names no node: "+err.Error(), http.StatusBadRequest)
			return
		}
		if err := event(request.Context(), order.Node); err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		answer(response, order)
	}
}

func answer(response http.ResponseWriter, document any) {
	response.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(response).Encode(document); err != nil {
		slog.Warn("an answer on the control socket was not taken", "err", err)
	}
}

// orderFaults puts a complete list in force, on the wire and in the agents, or nothing of it.
func (r *runner) orderFaults(ctx context.Context, ordered []wire.Fault) error {
	for _, fault := range ordered {
		if err := checkFault(fault, r.world.exists); err != nil {
			return err
		}
		if err := r.network.canOrder(fault); err != nil {
			return err
		}
	}
	pods, booted := r.world.setFaults(ordered)
	if err := r.network.setFaults(wireFaults(ordered)); err != nil {
		return err
	}
	for node, bootID := range booted {
		if err := r.tellBootID(ctx, node, bootID); err != nil {
			return err
		}
	}
	for _, pod := range pods {
		r.queue.Add(task{forAgent, pod})
	}
	slog.Info("faults are ordered", "faults", ordered)
	return nil
}

func (w *world) exists(node string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machines[node] != nil
}

func (w *world) orderedFaults() []wire.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]wire.Fault{}, w.faults...)
}

// controlClient talks to the process that plays the cluster of that folder.
func controlClient(dir string) *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, controlSocket))
		},
	}}
}
