// Command interop-client asks a server of ours as a program in Go would, with grpc-go and go-control-plane's types.
// `interop-client ADDRESS SCENE` prints one line of JSON: what was seen.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	processing "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	process "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	patience   = 15 * time.Second
	deadline   = 300 * time.Millisecond
	largeBytes = 4 << 20
)

type seen struct {
	Code      codes.Code `json:"code"`
	Replies   int        `json:"replies"`
	Endpoint  string     `json:"endpoint,omitempty"`
	BodyBytes int        `json:"bodyBytes,omitempty"`
	// Same says that a body came back as it was sent.
	Same bool `json:"same,omitempty"`
	// NoHeaders says that the status came in the first and only block of headers.
	NoHeaders bool `json:"trailersOnly,omitempty"`
}

func headerMap(pairs ...string) *core.HeaderMap {
	headers := &core.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		headers.Headers = append(headers.Headers, &core.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return headers
}

func requestHeaders(scene string, endOfStream bool) *process.ProcessingRequest {
	return &process.ProcessingRequest{
		Request: &process.ProcessingRequest_RequestHeaders{RequestHeaders: &process.HttpHeaders{
			Headers:     headerMap(":method", "POST", ":path", "/v1/chat/completions", "x-session-id", "session-1", "x-scene", scene),
			EndOfStream: endOfStream,
		}},
		ProtocolConfig: &process.ProtocolConfiguration{
			RequestBodyMode:  processing.ProcessingMode_BUFFERED,
			ResponseBodyMode: processing.ProcessingMode_BUFFERED,
		},
	}
}

func requestBody(body []byte) *process.ProcessingRequest {
	return &process.ProcessingRequest{Request: &process.ProcessingRequest_RequestBody{
		RequestBody: &process.HttpBody{Body: body, EndOfStream: true},
	}}
}

func responseHeaders() *process.ProcessingRequest {
	return &process.ProcessingRequest{Request: &process.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &process.HttpHeaders{Headers: headerMap(":status", "200")},
	}}
}

func responseBody(body []byte) *process.ProcessingRequest {
	return &process.ProcessingRequest{Request: &process.ProcessingRequest_ResponseBody{
		ResponseBody: &process.HttpBody{Body: body, EndOfStream: true},
	}}
}

func (s *seen) take(reply *process.ProcessingResponse, sent []byte) {
	s.Replies++
	for _, option := range reply.GetRequestHeaders().GetResponse().GetHeaderMutation().GetSetHeaders() {
		if option.GetHeader().GetKey() == "x-route-endpoint" {
			s.Endpoint = string(option.GetHeader().GetRawValue())
		}
	}
	if body := reply.GetRequestBody().GetResponse().GetBodyMutation().GetBody(); body != nil {
		s.BodyBytes = len(body)
		s.Same = bytes.Equal(body, sent)
	}
}

// exchange sends each message after the reply to the one before, half-closes, and waits for the status.
func exchange(ctx context.Context, client process.ExternalProcessorClient, result *seen, body []byte, messages ...*process.ProcessingRequest) error {
	stream, err := client.Process(ctx)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if err := stream.Send(message); err != nil {
			// The status says why.
			_, err = stream.Recv()
			return err
		}
		reply, err := stream.Recv()
		if err != nil {
			return err
		}
		result.take(reply, body)
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = stream.Recv()
	if err == nil {
		result.Replies++
		return nil
	}
	if err.Error() == "EOF" {
		return nil
	}
	return err
}

func play(ctx context.Context, conn *grpc.ClientConn, scene string, result *seen) error {
	processor := process.NewExternalProcessorClient(conn)
	switch scene {
	case "check":
		reply, err := auth.NewAuthorizationClient(conn).Check(ctx, &auth.CheckRequest{
			Attributes: &auth.AttributeContext{Request: &auth.AttributeContext_Request{
				Http: &auth.AttributeContext_HttpRequest{
					Method: "POST", Path: "/v1/chat/completions",
					Headers: map[string]string{"x-session-id": "session-1"},
				},
			}},
		})
		if err == nil {
			result.Replies = 1
			result.Endpoint = reply.GetDynamicMetadata().GetFields()["endpoint"].GetStringValue()
		}
		return err
	case "exchange":
		body := []byte(`{"model":"m"}`)
		return exchange(ctx, processor, result, body,
			requestHeaders("", false), requestBody(body), responseHeaders(), responseBody(body))
	case "large":
		body := bytes.Repeat([]byte("0123456789abcdef"), largeBytes/16)
		return exchange(ctx, processor, result, body, requestHeaders("", false), requestBody(body))
	case "deadline":
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		return exchange(ctx, processor, result, nil, requestHeaders("silent", true))
	case "cancel":
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := processor.Process(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(requestHeaders("cancelled", false)); err != nil {
			return err
		}
		reply, err := stream.Recv()
		if err != nil {
			return err
		}
		result.take(reply, nil)
		cancel()
		_, err = stream.Recv()
		return err
	case "unknown":
		var header metadata.MD
		err := conn.Invoke(ctx, "/envoy.service.auth.v3.Authorization/Guess", &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header))
		// With trailers only, grpc-go tells no headers.
		result.NoHeaders = len(header) == 0
		return err
	case "health":
		reply, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err == nil && reply.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING {
			result.Replies = 1
		}
		return err
	}
	log.Fatalf("no scene %q", scene)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("interop-client ADDRESS SCENE")
	}
	conn, err := grpc.NewClient("passthrough:///"+os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var result seen
	result.Code = status.Code(play(ctx, conn, os.Args[2], &result))
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}
