package main

import (
	"context"
	"errors"
	"io/fs"
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
	file := filepath.Join(dir, leaseFile)
	held, err := os.ReadFile(file)
	for now := held; !errors.Is(err, fs.ErrNotExist) && string(now) == string(held); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
		if now, err = os.ReadFile(file); err != nil {
			now = held
		}
	}
	slog.Info("the lease has ended: ending the cluster's processes", "dir", dir)
	endProcesses(dir)
}

// endProcesses ends those whose program was started by a path inside the folder, and no other. At once: their data is gone.
func endProcesses(dir string) {
	for left := processesOf(dir); len(left) > 0; left = processesOf(dir) {
		for _, pid := range left {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(50 * time.Millisecond)
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
