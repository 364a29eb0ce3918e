import { expect, test } from 'vitest';
import { commRFromCid } from '../../src/filecoin/cid.ts';
import { gatewayEvent, proofRequest, responseJson } from '../../src/winning/gateway-json.ts';
import { computeProof } from './requests.ts';

// As Go's encoding/json writes a RequestEvent {ID, Method, Payload} whose payload is a ComputeProofRequest.
const WRITTEN_BY_GO =
  '{"SectorInfos":[{"SealProof":8,"SectorNumber":4711,"SectorKey":null,"SealedCID":{"/":"bagboea4b5abcbbmldkf4feht4wszej4t45wihacssylo5wtrdsbffvaj4nb5ytdc"}}],' +
  '"Rand":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","Height":2000001,"NWVersion":21}';

test('a request is read as Go writes it', () => {
  const event = gatewayEvent.parse({
    Id: '6a1bbcc1-8f4a-4c8c-9a3c-6f1f3b5d3b0f',
    Method: 'ComputeProof',
    Payload: Buffer.from(WRITTEN_BY_GO).toString('base64'),
  });
  const request = proofRequest.parse(event.Payload);
  expect(request.epoch).toBe(2_000_001);
  expect(Buffer.from(request.randomness).toString('hex')).toBe(
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
  );
  const [sector] = request.sectors;
  expect(sector).toMatchObject({ sealProof: 8, number: 4711, upgraded: false });
  expect(sector && Buffer.from(commRFromCid(sector.sealedCid)).toString('hex')).toBe(
    '858b1a8bc290f3e5a5922793e76c8380529616eeda711c8252d409e343dc4c62',
  );
});

test('an upgraded sector has a key, and an old gateway tells no height', () => {
  const { SectorInfos, Rand } = computeProof({ number: 1, commR: new Uint8Array(32) });
  const [sector] = SectorInfos;
  const request = proofRequest.parse({ SectorInfos: [{ ...sector, SectorKey: sector?.SealedCID }], Rand });
  expect(request).toMatchObject({ epoch: undefined, sectors: [{ upgraded: true }] });
});

test('what cannot be a request is refused', () => {
  const good = { number: 1, commR: new Uint8Array(32) };
  expect(gatewayEvent.parse({ Id: 'x', Method: 'ComputeProof', Payload: 'bm90IGpzb24=' }).Payload).toBeUndefined();
  for (const change of [{ Rand: 'AAEC' }, { Rand: null }, { SectorInfos: [{}] }, { SectorInfos: 'none' }]) {
    expect(proofRequest.safeParse(computeProof(good, change)).success).toBe(false);
  }
});

test('an answer is written as Go reads it', () => {
  const answer = responseJson('id-1', [{ proofType: 3, proof: Uint8Array.of(1, 2, 3) }]);
  expect(JSON.stringify(answer)).toBe(
    `{"Id":"id-1","Payload":"${Buffer.from('[{"PoStProof":3,"ProofBytes":"AQID"}]').toString('base64')}","Error":""}`,
  );
  expect(JSON.stringify(responseJson('id-2', 'no such sector'))).toBe(
    '{"Id":"id-2","Payload":null,"Error":"no such sector"}',
  );
});
