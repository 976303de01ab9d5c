//go:build tools

// Package tools pins what is built from here, with its checksums, in go.mod and go.sum.
package tools

import _ "fortio.org/fortio"
