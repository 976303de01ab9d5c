import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Document, parse, parseAllDocuments } from 'yaml';
import { readShippedConfig } from '../../demo/envoy-config.ts';
import { startProcess } from '../../demo/processes.ts';
import { envoyPath } from '../../setup/envoy.mjs';
import { requireEnvoy, temporaryDirectory } from '../envoy/harness.ts';
import { projectFiles, readProjectFile } from '../house/project-files.ts';

// Manifests are plain trees; their shape is what the tests look at.
// biome-ignore lint/suspicious/noExplicitAny: reading YAML by path
type Tree = any;

const FILES = projectFiles('istio').filter((path) => path.endsWith('.yaml'));
const HOST = 'switchyard.switchyard.svc.cluster.local';

function documentsOf(path: string): readonly Tree[] {
  return parseAllDocuments(readProjectFile(path)).map((document) => {
    assert.deepEqual(document.errors, [], path);
    return document.toJS();
  });
}

const all = FILES.flatMap(documentsOf);

function find(kind: string, name: string): Tree {
  const found = all.find((document) => document.kind === kind && document.metadata?.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

function patchValues(name: string): readonly Tree[] {
  return find('EnvoyFilter', name).spec.configPatches.map((patch: Tree) => patch.patch.value);
}

async function shippedParts(): Promise<{
  config: Tree;
  manager: Tree;
  filter(name: string): Tree;
}> {
  const config: Tree = parse(await readShippedConfig());
  const manager = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  return {
    config,
    manager,
    filter: (name) => manager.http_filters.find((filter: Tree) => filter.name === name),
  };
}

function routeNamed(manager: Tree, name: string): Tree {
  return manager.route_config.virtual_hosts[0].routes.find((route: Tree) => route.name === name);
}

describe('Istio manifests', () => {
  it('each have a kind, a version and, but for the mesh, a name', () => {
    assert.ok(all.length >= 12);
    for (const document of all) {
      assert.match(document.apiVersion, /^[a-z0-9./]+$/);
      if (document.kind !== 'IstioOperator') assert.ok(document.metadata.name);
    }
  });

  it('name the Service as it is', () => {
    const service = find('Service', 'switchyard');
    const port = service.spec.ports.find((entry: Tree) => entry.appProtocol === 'grpc').port;
    assert.equal(`${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local`, HOST);
    const [filter] = patchValues('switchyard-ext-proc');
    const { cluster_name: cluster, authority } = filter.typed_config.grpc_service.envoy_grpc;
    assert.equal(cluster, `outbound|${port}||${HOST}`);
    assert.equal(authority, HOST);
    assert.equal(find('DestinationRule', 'switchyard').spec.host, HOST);
    const { cluster: match } = find('EnvoyFilter', 'switchyard-cluster').spec.configPatches[0]
      .match;
    assert.deepEqual(match, { service: HOST, portNumber: port });
    const mesh = all.find((document) => document.kind === 'IstioOperator').spec.meshConfig;
    const [provider] = mesh.extensionProviders;
    assert.equal(provider.envoyExtAuthzGrpc.service, HOST);
    assert.equal(provider.envoyExtAuthzGrpc.port, port);
    assert.equal(find('AuthorizationPolicy', 'switchyard').spec.provider.name, provider.name);
    assert.equal(provider.envoyExtAuthzGrpc.failOpen, false);
  });

  it('ask as the shipped Envoy configuration asks', async () => {
    const shipped = (await shippedParts()).filter('switchyard');
    const [ours] = patchValues('switchyard-ext-proc');
    assert.equal(ours.name, shipped.name);
    const { grpc_service: theirs, ...rest } = shipped.typed_config;
    const { grpc_service: mine, ...same } = ours.typed_config;
    assert.deepEqual(same, rest);
    assert.deepEqual(mine.retry_policy, theirs.retry_policy);
    assert.equal(mine.timeout, theirs.timeout);
  });

  it('treat routes of the same name as the shipped configuration does', async () => {
    const { manager } = await shippedParts();
    const patches = find('EnvoyFilter', 'switchyard-routes').spec.configPatches;
    const named = find('VirtualService', 'ai').spec.http.map((route: Tree) => route.name);
    assert.deepEqual(
      patches.map((patch: Tree) => patch.match.routeConfiguration.vhost.route.name),
      named,
    );
    for (const [index, name] of named.entries()) {
      const mine = patches[index].patch.value.typed_per_filter_config;
      const theirs = routeNamed(manager, name).typed_per_filter_config;
      assert.deepEqual(mine.switchyard, theirs.switchyard, name);
    }
  });

  it('carry every cure of the shipped configuration', async () => {
    const { config, manager } = await shippedParts();
    const [cluster] = patchValues('switchyard-cluster');
    const shipped = config.static_resources.clusters.find(
      (entry: Tree) => entry.name === 'switchyard',
    );
    assert.deepEqual(
      cluster.typed_extension_protocol_options,
      shipped.typed_extension_protocol_options,
    );
    assert.deepEqual(cluster.health_checks, shipped.health_checks);
    const [connection] = patchValues('switchyard-connection-manager');
    assert.deepEqual(connection.typed_config.local_reply_config, manager.local_reply_config);
    assert.equal(connection.typed_config.stream_idle_timeout, manager.stream_idle_timeout);
    const { connectionPool, outlierDetection } = find('DestinationRule', 'switchyard').spec
      .trafficPolicy;
    const [limits] = shipped.circuit_breakers.thresholds;
    assert.equal(connectionPool.http.http2MaxRequests, limits.max_requests);
    assert.equal(connectionPool.http.maxRetries, limits.max_retries);
    assert.ok(connectionPool.http.maxRequestsPerConnection < 1000);
    assert.equal(outlierDetection.consecutive5xxErrors, shipped.outlier_detection.consecutive_5xx);
    const mesh = all.find((document) => document.kind === 'IstioOperator').spec.meshConfig;
    const [layer] = config.layered_runtime.layers;
    const flags = Object.keys(layer.static_layer);
    assert.deepEqual(Object.keys(mesh.defaultConfig.runtimeValues), flags);
    const [bootstrap] = patchValues('switchyard-bootstrap');
    assert.deepEqual(bootstrap, {
      grpc_async_client_manager_config: config.grpc_async_client_manager_config,
    });
  });

  it('patch nothing that a real Envoy does not accept', async function () {
    requireEnvoy(this);
    const { config, manager } = await shippedParts();
    const [filter] = patchValues('switchyard-ext-proc');
    const [connection] = patchValues('switchyard-connection-manager');
    const [cluster] = patchValues('switchyard-cluster');
    const target = config.static_resources.clusters.find(
      (entry: Tree) => entry.name === 'switchyard',
    );
    target.name = filter.typed_config.grpc_service.envoy_grpc.cluster_name;
    Object.assign(target, cluster);
    const check = manager.http_filters.find(
      (entry: Tree) => entry.name === 'envoy.filters.http.ext_authz',
    );
    check.typed_config.grpc_service.envoy_grpc.cluster_name = target.name;
    manager.http_filters = manager.http_filters.map((entry: Tree) =>
      entry.name === filter.name ? filter : entry,
    );
    Object.assign(manager, connection.typed_config);
    for (const patch of find('EnvoyFilter', 'switchyard-routes').spec.configPatches)
      Object.assign(
        routeNamed(manager, patch.match.routeConfiguration.vhost.route.name),
        patch.patch.value,
      );
    const directory = await temporaryDirectory();
    try {
      const file = join(directory.path, 'patched.yaml');
      await writeFile(file, new Document(config, { aliasDuplicateObjects: false }).toString());
      const running = await startProcess(envoyPath(), ['--mode', 'validate', '-c', file]);
      assert.equal((await running.exited).code, 0, running.output());
    } finally {
      await rm(directory.path, { recursive: true });
    }
  });
});
