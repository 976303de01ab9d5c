// Command opa answers ext_authz as people do who embed OPA: its rego library behind gRPC, with the types of
// go-control-plane. The policy is prepared once; the request becomes the input's value directly, without a detour
// over JSON. It prints `listening PORT` and ends when its standard input does.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"
)

//go:embed policy.rego
var policy string

type server struct {
	auth.UnimplementedAuthorizationServer
	query rego.PreparedEvalQuery
}

// inputOf is the part of the request that a policy may look at, under the names that OPA's own plugin uses.
func inputOf(request *auth.CheckRequest) ast.Value {
	attributes := request.GetAttributes()
	http := attributes.GetRequest().GetHttp()
	headers := ast.NewObject()
	for name, value := range http.GetHeaders() {
		headers.Insert(ast.StringTerm(name), ast.StringTerm(value))
	}
	address := attributes.GetSource().GetAddress().GetSocketAddress().GetAddress()
	return ast.NewObject(
		ast.Item(ast.StringTerm("method"), ast.StringTerm(http.GetMethod())),
		ast.Item(ast.StringTerm("path"), ast.StringTerm(http.GetPath())),
		ast.Item(ast.StringTerm("host"), ast.StringTerm(http.GetHost())),
		ast.Item(ast.StringTerm("source"), ast.StringTerm(address)),
		ast.Item(ast.StringTerm("headers"), ast.NewTerm(headers)),
	)
}

func (s *server) Check(ctx context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	results, err := s.query.Eval(ctx, rego.EvalParsedInput(inputOf(request)))
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return nil, fmt.Errorf("the policy is undefined")
	}
	decision, ok := results[0].Expressions[0].Value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the policy decides nothing")
	}
	told, _ := decision["metadata"].(map[string]any)
	metadata, err := structpb.NewStruct(told)
	if err != nil {
		return nil, err
	}
	if allowed, _ := decision["allowed"].(bool); !allowed {
		return &auth.CheckResponse{
			Status:          &status.Status{Code: int32(codes.PermissionDenied)},
			DynamicMetadata: metadata,
			HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
				Status: &envoytype.HttpStatus{Code: envoytype.StatusCode_Forbidden},
				Headers: []*core.HeaderValueOption{{
					Header: &core.HeaderValue{Key: "content-type", Value: "application/json"},
				}},
				Body: `{"error":{"message":"read only"}}`,
			}},
		}, nil
	}
	return &auth.CheckResponse{
		Status:          &status.Status{Code: int32(codes.OK)},
		DynamicMetadata: metadata,
		HttpResponse:    &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{}},
	}, nil
}

func main() {
	query, err := rego.New(
		rego.Query("data.switchyard.authz.decision"),
		rego.Module("policy.rego", policy),
	).PrepareForEval(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	grpcServer := grpc.NewServer()
	auth.RegisterAuthorizationServer(grpcServer, &server{query: query})
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(grpcServer.Serve(listener))
}
