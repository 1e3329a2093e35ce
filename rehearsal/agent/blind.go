package main

import (
	"path"
	"slices"
	"strings"
)

// Options of tcpdump that take a value, in their short form.
const tcpdumpValues = "BCDEFGQTVWcijmMrswyzZ"

// Names of those that do so in their long form, unless it is given with a "=".
var tcpdumpLongValues = []string{
	"--buffer-size", "--interface", "--linktype", "--direction", "--snapshot-length", "--time-stamp-type", "--relinquish-privileges",
	"--time-stamp-precision",
}

// blinded lets a tcpdump that argv runs, with whatever runs it, see no packet: its filter gets a part that none meets.
func blinded(argv []string) []string {
	at := slices.IndexFunc(argv, func(word string) bool { return path.Base(word) == "tcpdump" })
	if at < 0 {
		return argv
	}
	// No packet on any device is that short. In a filter "and" and "or" bind alike and from the left, so the last part rules.
	none := []string{"less", "1"}
	if hasFilter(argv[at+1:]) {
		none = append([]string{"and"}, none...)
	}
	return append(slices.Clone(argv), none...)
}

func hasFilter(arguments []string) bool {
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		switch {
		case argument == "--":
			return i+1 < len(arguments)
		case slices.Contains(tcpdumpLongValues, argument):
			i++
		case strings.HasPrefix(argument, "--"):
		case strings.HasPrefix(argument, "-") && len(argument) > 1:
			// In a cluster of short options the first that takes a value takes the rest, or the next word.
			if taker := strings.IndexAny(argument[1:], tcpdumpValues); taker == len(argument)-2 {
				i++
			}
		default:
			return true
		}
	}
	return false
}
