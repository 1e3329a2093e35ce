package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"

	"wirecloak/rehearsal/agent/wire"

	"golang.org/x/sys/unix"
)

// outside becomes a program in the namespace of the LAN, where the bridge sees everything between the nodes.
func outside(ctx context.Context, dir string, argv []string) error {
	if len(argv) == 0 {
		return errors.New(usage)
	}
	var state wireState
	if err := control(ctx, dir, http.MethodGet, "/wire", nil, &state); err != nil {
		return err
	}
	if !state.On {
		return fmt.Errorf("this rehearsal has no wire: %s", state.Why)
	}
	ordered := []wire.Fault{}
	if err := control(ctx, dir, http.MethodGet, "/faults", nil, &ordered); err != nil {
		return err
	}
	if isBlind(ordered, everyNode) {
		argv = blinded(argv)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	namespace, err := os.Open(state.Namespace)
	if err != nil {
		return err
	}
	defer namespace.Close()
	// The program replaces this process from the thread that enters.
	runtime.LockOSThread()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("the LAN's namespace cannot be entered: %w", err)
	}
	return unix.Exec(path, argv, os.Environ())
}
