import type { Group } from '../verb.ts';
import { attach } from './attach.ts';
import { check } from './check.ts';
import { detach } from './detach.ts';
import { find } from './find.ts';
import { genSectorstoreJson } from './gen-sectorstore-json.ts';
import { list } from './list.ts';

export const storageGroup: Group = {
  name: 'storage',
  about: 'look after stores and the index of their sectors',
  members: [attach, detach, list, find, check, genSectorstoreJson],
};
