/** What tells a model to forget what it was told, or whom to obey instead. */
import type { SignalSpec } from '../signals.ts';

export const OVERRIDES: readonly SignalSpec[] = [
  {
    id: 'override.prior_orders',
    weight: 0.86,
    patterns: [
      '@ignore ~4 @prior ~3 @orders',
      '@ignore ~3 @orders ~3 @prior',
      '@prior ~4 @orders ~4 @ignore',
    ],
  },
  {
    id: 'override.prior_undone',
    weight: 0.78,
    fromOthers: 0.78,
    patterns: ['@undo ~3 @prior ~2 @orders_strong', '@undo ~3 @orders_strong ~2 @prior'],
  },
  {
    id: 'override.received',
    weight: 0.82,
    patterns: [
      '@ignore ~6 @you_got',
      '@undo ~4 @orders_strong ~3 @you_got',
      '@ignore ~6 @before_chat',
      '@you_got ~4 @voided',
      'nothing|everything|all|alles|tout|todo|tutto|всё|все ~6 @before|@you_got ~4 @voided',
    ],
  },
  {
    id: 'override.voided',
    weight: 0.74,
    fromOthers: 0.74,
    patterns: [
      '@prior ~2 @orders ~4 @voided',
      '@orders ~2 @prior ~4 @voided',
      '@voided ~2 @prior ~3 @orders',
      'treat|consider|regard ~5 @prior|@before ~4 @voided',
    ],
  },
  {
    id: 'override.your_voided',
    weight: 0.82,
    fromOthers: 0.82,
    patterns: [
      '@your ~3 @orders ~4 @voided',
      'behave|act|proceed|answer|respond as if ~4 never ~1 been|existed|written|given|told',
      'as if ~2 had no|there were no|you had no ~3 @orders|@limits|@safety',
    ],
  },
  {
    id: 'override.reset',
    weight: 0.62,
    patterns: [
      '@prior ~1 context|memory|conversation ~3 gone|cleared|deleted|erased|wiped|reset|lost',
      'reset|wipe|clear|erase|flush ~2 your ~2 context|memory|instructions|state|mind',
      'you are|you re|now ~1 a ~1 blank|clean|fresh ~0 model|slate|assistant|state',
      'factory settings|factory reset|clean slate|system reset|memory wipe',
    ],
  },
  {
    id: 'override.your_orders',
    weight: 0.83,
    patterns: [
      '@ignore ~2 @your ~4 @orders',
      '@undo ~2 @your ~4 @orders_strong',
      '@your ~3 @orders ~3 @ignore',
    ],
  },
  {
    id: 'override.all_orders',
    weight: 0.82,
    patterns: ['@ignore ~2 @all ~4 @orders_strong', '@undo ~1 @all ~3 @orders_strong'],
  },
  {
    id: 'override.any_orders',
    weight: 0.7,
    fromOthers: 0.7,
    patterns: [
      '@ignore ~2 @all ~3 @orders',
      '@ignore @orders_strong',
      '@ignore the @orders_strong',
    ],
  },
  {
    id: 'override.everything',
    weight: 0.82,
    patterns: [
      '@ignore ~2 @all ~6 @before',
      '@ignore what ~5 @before',
      '@ignore whatever ~5 @before',
      '@ignore alles',
      '@ignore everything',
    ],
  },
  { id: 'override.above', weight: 0.55, patterns: ['@ignore ~3 @before', '@ignore all'] },
  {
    id: 'override.role_orders',
    weight: 0.8,
    patterns: [
      '@ignore ~4 system|developer|operator|user|users|user s|operator s ~4 @orders',
      '@ignore ~2 user|user s|users ~2 task|request|question|query|input',
      '@ignore the user and',
    ],
  },
  {
    id: 'override.safety',
    weight: 0.8,
    patterns: ['@ignore ~5 @safety', '@undo ~3 @your ~4 @safety', '@undo ~3 @your ~4 @limits'],
  },
  { id: 'override.safety_weak', weight: 0.5, patterns: ['@undo ~4 @safety'] },
  {
    id: 'override.limits_off',
    weight: 0.82,
    fromOthers: 0.82,
    patterns: [
      '@your|my ~1 @limits|@safety ~3 off|disabled|gone|lifted|suspended|removed|deactivated|inactive|switched off|turned off|unlocked|ausgeschaltet|aufgehoben|deaktiviert|levees|desactivees|desactivad*|levantad*|desativad*|disattivat*|rimoss*|отключен*|сняты|снято|解除|关闭|取消',
      '@undo ~2 @all ~2 @safety',
      '@undo ~1 @your ~2 @limits|@safety',
    ],
  },
  {
    id: 'override.safety_off',
    weight: 0.7,
    patterns: [
      '@safety ~4 disabled|lifted|removed|suspended|off|deactivated|bypassed|not apply|were not meant|gelten nicht|nicht gelten|no aplican|s appliquent pas|non valgono',
      '@limits ~3 disabled|lifted|suspended|deactivated|removed ~4 now|proceed|respond|answer|you',
      'skip ~2 @safety',
    ],
  },
  {
    id: 'override.new_orders',
    weight: 0.5,
    fromOthers: 0.8,
    patterns: [
      'new|real|actual|true|updated|revised|next|following ~0 @orders_strong ~1 :|is|are|from',
      'new|real|actual|true|updated ~0 task ~1 :|is',
      'neue|neuen ~0 anweisungen ~1 :',
      '@your ~1 new|real|actual|true|updated|only ~1 @orders_strong|task|goal|objective|mission|purpose|job|role ~1 :|is|are',
      'nouvelles instructions|nuevas instrucciones|novas instrucoes|nuove istruzioni|новые инструкции|新指令|新的指令|新しい指示',
    ],
  },
  {
    id: 'override.rules_changed',
    weight: 0.7,
    patterns: [
      '@your ~1 rules|instructions|guidelines|policies|directives ~2 changed|updated|replaced|been|no longer',
      '@orders_strong ~4 supersede*|overrides|override|replaces|replace|take precedence|takes precedence ~4 @prior|all|any|every',
      '@orders_strong ~3 void|invalid|obsolete|revoked|cancelled|canceled|deprecated|outdated|compromised',
    ],
  },
  {
    id: 'override.mine',
    weight: 0.62,
    fromOthers: 0.8,
    patterns: ['@only_mine'],
  },
  {
    id: 'override.only_me',
    weight: 0.5,
    patterns: [
      'follow|obey|listen to ~2 only|just ~3 me|my|user|these|this',
      'only ~1 follow|obey|listen to ~3 me|my|this|these|user',
    ],
  },
  {
    id: 'override.instead',
    weight: 0.62,
    fromOthers: 0.8,
    patterns: [
      '@ignore ~6 translation|task|question|request|job|assignment|summary|text ~8 instead|only|just',
      '@ignore ~5 and ~1 just|instead|only ~1 print|output|say|write|repeat|respond|answer|reply|translate',
      'do not do ~4 asked|told ~6 instead',
      'instead of that|instead of this ~3 repeat|say|print|output|write|answer|respond',
      'instead of ~1 doing that|what you were asked',
      'vergiss|oublie|olvida|esqueca|dimentica|забудь|忘记|忘掉 ~10 stattdessen|plutot|a la place|en su lugar|en vez|em vez|invece|вместо этого|而是|改为',
    ],
  },

  {
    id: 'override.instead_plain',
    weight: 0.55,
    patterns: [
      '@ignore ~10 instead|just|only ~3 print|say|output|write|respond|answer|reply|translate|spell|tell|repeat',
      '@ignore ~8 and ~0 print|say|output|write|respond|answer|reply|translate|spell|tell|do',
    ],
  },
  {
    id: 'override.from_now_on',
    weight: 0.5,
    patterns: [
      '@now ~3 @your ~2 must|will|shall|have|are|can|should|may|do|answer|respond|obey|not|no|never|only',
      'from now on ~2 respond|answer|act|reply|behave|ignore|only',
    ],
  },
  {
    id: 'override.stop',
    weight: 0.45,
    patterns: [
      'stop everything',
      'stop all ~2 @ignore',
      'stop|halt|wait ~3 @ignore',
      'just print',
      'end of conversation',
      'new conversation',
      'new session',
    ],
  },
];
