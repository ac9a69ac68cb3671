// What users of fhir-kit-client and @medplum/core write, against the door whose address is the first argument.
// The packages lie in the folder that is the third; the second is a token, or "-" and then two signed assertions follow,
// one for each client, with which they get their tokens. Prints one JSON object: what was seen.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [base, token, folder, ...assertions] = process.argv.slice(2);
const seen = {};
const require = createRequire(join(folder, 'index.js'));
const load = async (name) => {
  try {
    return require(name);
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error;
    const found = join(folder, 'node_modules', name);
    const about = require(join(found, 'package.json'));
    return import(pathToFileURL(join(found, about.main)).href);
  }
};

const caught = async (work) => {
  try {
    await work();
    return 'no error';
  } catch (error) {
    return error;
  }
};

const patient = (value, more = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'https://ehr.example/mrn', value }],
  name: [{ family: 'Sample-Beech', given: ['Testo'] }],
  ...more,
});

async function backendToken(url, assertion) {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  const answer = await fetch(url, { method: 'POST', body: form });
  return (await answer.json()).access_token;
}

async function fhirKit() {
  const loaded = await load('fhir-kit-client');
  const Client = loaded.default?.default ?? loaded.default ?? loaded.Client;
  const client = new Client({ baseUrl: base, ...(token === '-' ? {} : { bearerToken: token }) });
  const smart = await client.smartAuthMetadata().catch(() => ({}));
  seen.kit_token_url = String(smart.tokenUrl ?? '');
  if (token === '-') client.bearerToken = await backendToken(smart.tokenUrl, assertions[0]);
  seen.kit_version = (await client.capabilityStatement()).fhirVersion;
  const made = await client.create({ resourceType: 'Patient', body: patient('K1') });
  const { id } = made;
  seen.kit_read = (await client.read({ resourceType: 'Patient', id })).name[0].family;
  await client.update({ resourceType: 'Patient', id, body: { ...made, gender: 'female' } });
  const jsonPatch = [{ op: 'replace', path: '/gender', value: 'male' }];
  seen.kit_patch = (await client.patch({ resourceType: 'Patient', id, jsonPatch })).gender;
  seen.kit_vread = (await client.vread({ resourceType: 'Patient', id, version: '1' })).gender ?? 'none';
  seen.kit_history = (await client.history({ resourceType: 'Patient', id })).entry.length;
  seen.kit_type_history = (await client.history({ resourceType: 'Patient' })).entry.length;
  seen.kit_system_history = (await client.history()).entry.length;
  const searchParams = { identifier: 'https://ehr.example/mrn|K1' };
  seen.kit_search = (await client.search({ resourceType: 'Patient', searchParams })).total;
  const post = { postSearch: true };
  seen.kit_post_search = (await client.search({ resourceType: 'Patient', searchParams, options: post })).total;
  const body = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: 'urn:uuid:1', resource: patient('K2'), request: { method: 'POST', url: 'Patient' } },
      {
        resource: {
          resourceType: 'Coverage',
          status: 'active',
          beneficiary: { reference: 'urn:uuid:1' },
          payor: [{ display: 'Payer' }],
        },
        request: { method: 'POST', url: 'Coverage' },
      },
    ],
  };
  seen.kit_transaction = (await client.transaction({ body })).entry.map((one) => one.response.status);
  const asked = [{ request: { method: 'GET', url: `Patient/${id}` } }];
  const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: asked } });
  seen.kit_batch = batch.entry[0].resource.id === id;
  const pages = { resourceType: 'Patient', searchParams: { _count: 1, _sort: '_id' } };
  const first = await client.search(pages);
  const second = await client.nextPage({ bundle: first });
  seen.kit_pages = first.entry[0].resource.id !== second.entry[0].resource.id;
  const input = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient('K3', { gender: 'x' }) }] };
  const said = await client.operation({ name: 'validate', resourceType: 'Patient', input });
  seen.kit_validate = said.issue[0].expression[0];
  seen.kit_everything = (await client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' })).type;
  await client.delete({ resourceType: 'Patient', id });
  seen.kit_gone = (await caught(() => client.read({ resourceType: 'Patient', id }))).response?.status;
  const wrong = await caught(() => client.create({ resourceType: 'Patient', body: patient('K4', { gender: 'x' }) }));
  seen.kit_refused = [wrong.response?.status, wrong.response?.data?.issue?.[0]?.expression?.[0]];
}

async function medplum() {
  const { MedplumClient } = await load('@medplum/core');
  const server = new URL(base);
  const client = new MedplumClient({
    baseUrl: `${server.origin}/`,
    fhirUrlPath: 'fhir/',
    ...(token === '-' ? {} : { accessToken: token }),
    cacheTime: 0,
    autoBatchTime: 0,
  });
  if (token === '-') await client.startJwtAssertionLogin(assertions[1]);
  const created = await client.createResource(patient('M1'));
  const query = 'identifier=https://ehr.example/mrn|M1';
  seen.medplum_once = (await client.createResourceIfNoneExist(patient('M1'), query)).id === created.id;
  seen.medplum_upsert = (await client.upsertResource({ ...patient('M1'), gender: 'female' }, query)).gender;
  const operations = [{ op: 'replace', path: '/gender', value: 'male' }];
  seen.medplum_patch = (await client.patchResource('Patient', created.id, operations)).gender;
  const read = await client.readResource('Patient', created.id, { cache: 'reload' });
  seen.medplum_update = (await client.updateResource({ ...read, active: true })).meta.versionId;
  seen.medplum_history = (await client.readHistory('Patient', created.id)).entry.length;
  seen.medplum_vread = (await client.readVersion('Patient', created.id, '1')).meta.versionId;
  seen.medplum_search = (await client.searchOne('Patient', query)).id === created.id;
  seen.medplum_none = (await client.searchOne('Patient', 'identifier=none')) ?? 'nothing';
  const pages = [];
  for await (const page of client.searchResourcePages('Patient', { _count: 1, _sort: '_id' })) {
    pages.push(...page.map((one) => one.id));
  }
  seen.medplum_pages = new Set(pages).size === pages.length && pages.length > 1;
  const batch = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: 'Patient' } }] };
  seen.medplum_batch = (await client.executeBatch(batch)).entry[0].response.status;
  seen.medplum_everything = (await client.readPatientEverything(created.id)).type;
  seen.medplum_validate = (await client.validateResource(patient('M2'))).issue[0].severity;
  await client.deleteResource('Patient', created.id);
  const gone = await caught(() => client.readResource('Patient', created.id, { cache: 'reload' }));
  seen.medplum_gone = gone.outcome?.issue?.[0]?.code;
  const wrong = await caught(() => client.createResource(patient('M3', { gender: 'x' })));
  seen.medplum_refused = wrong.outcome?.issue?.[0]?.expression?.[0];
}

await fhirKit();
await medplum();
console.log(JSON.stringify(seen));
