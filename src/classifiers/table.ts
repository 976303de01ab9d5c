import type { ContractName } from '../engine/classifier-config.ts';
import type { Contract } from './contract.ts';
import { LITELLM } from './litellm-contract.ts';
import { OPENAI } from './openai-contract.ts';
import { SWITCHYARD } from './switchyard-contract.ts';

/** Every word under `contract`. */
export const CONTRACTS: Readonly<Record<ContractName, Contract>> = Object.freeze({
  switchyard: SWITCHYARD,
  litellm: LITELLM,
  openai: OPENAI,
});
