package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leaseFile is in the cluster's folder. While it is there and unchanged, the cluster's processes may run.
const leaseFile = "lease"

// holdLease returns when the folder's lease is gone or is another's, after ending the control plane: kwokctl's
// processes have no parent that would, and a removed folder must not leave them behind.
func holdLease(ctx context.Context, dir string) {
	held, err := os.ReadFile(filepath.Join(dir, leaseFile))
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
		var now []byte
		now, err = os.ReadFile(filepath.Join(dir, leaseFile))
		if err == nil && string(now) != string(held) {
			break
		}
	}
	slog.Info("the lease has ended: ending the cluster's processes", "dir", dir)
	endProcesses(dir)
}

// endProcesses ends those whose program was started by a path inside the folder, and no other.
func endProcesses(dir string) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		left := processesOf(dir)
		for _, pid := range left {
			syscall.Kill(pid, signal)
		}
		for range 30 {
			if left = processesOf(dir); len(left) == 0 {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func processesOf(dir string) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err == nil && strings.HasPrefix(string(line), dir+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}
