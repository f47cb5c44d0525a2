// A module of its own: the newest conformance tests need newer protocol buffer
// types than the API server is released with, which keeps its own.
module seawall/oracle/celconformance

go 1.24.0

require (
	cel.dev/expr v0.25.3
	google.golang.org/protobuf v1.36.10
)
