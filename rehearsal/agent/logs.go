package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// How often a log that is followed is looked at.
const followInterval = 200 * time.Millisecond

// logs serves kubectl logs: of the options --tail and --follow.
func (k kubelet) logs(response http.ResponseWriter, request *http.Request) {
	pod := request.PathValue("namespace") + "/" + request.PathValue("pod")
	query := request.URL.Query()
	lines, err := strconv.Atoi(query.Get("tailLines"))
	if err != nil {
		lines = -1
	}
	s := k.workloads.get(pod)
	if s == nil {
		response.Write(tail([]byte(strings.Join(append(k.world.logsOf(pod), ""), "\n")), lines))
		return
	}
	c := s.find(request.PathValue("container"))
	if c == nil {
		http.Error(response, fmt.Sprintf("there is no container %q in the pod", request.PathValue("container")), http.StatusNotFound)
		return
	}
	text, place := c.log.since(0)
	response.Write(tail(text, lines))
	if query.Get("follow") != "true" {
		return
	}
	flusher := http.NewResponseController(response)
	for ended := false; !ended; {
		flusher.Flush()
		select {
		case <-request.Context().Done():
			return
		case <-time.After(followInterval):
		}
		s.mu.Lock()
		ended = c.status.State.Terminated != nil || s.ended
		s.mu.Unlock()
		// After the look at its end, or its last words were lost.
		text, place = c.log.since(place)
		response.Write(text)
	}
}

// tail is the end of a log, all of it where no number of lines is given.
func tail(text []byte, lines int) []byte {
	if lines < 0 {
		return text
	}
	end := len(bytes.TrimSuffix(text, []byte("\n")))
	for ; lines > 0; lines-- {
		if end = bytes.LastIndexByte(text[:end], '\n'); end < 0 {
			return text
		}
	}
	if end == len(bytes.TrimSuffix(text, []byte("\n"))) {
		return nil
	}
	return text[end+1:]
}
