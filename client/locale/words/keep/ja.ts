
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's13f466dc1200537b': str`ほかに${0}つの出来事がありました。`,
's1576938493e66a7d': `一部が欠けています。コードをもう一度読み取るか、絵か映像を選んでください。`,
's1589ceab6b18fc8b': `もう一度育てる`,
's21f0b3497fb00180': str`部屋がいっぱいです。あなたの前に${0}人待っています。`,
's281214cb0c67fd6b': str`おそめ：${1} のうち ${0}`,
's2ad3d8db86801111': `種`,
's32f82ebb02b028d7': `また来たときに植える`,
's3fdc6453866ec7c0': `部屋がいっぱいです。つぎはあなたの番です。`,
's4113b2f6c090f181': `育てるためのデータを読み込めませんでした。少し待ってからもう一度お試しください。`,
's475adfa48074d28e': `このファイルには種がありません。アプリによっては消されてしまいます。保存したままのファイルを選んでください。`,
's545db0b26b3d1a64': str`部屋がいっぱいです。あなたの前に${0}人待っています。`,
's54eeade65b83e82b': `リンクが欠けています`,
's5aa875c0cc9af8b0': `このページは、この生きものの細胞を知りません。おみやげのリンクを開いてください。`,
's6b5808729ba28a3f': `名なし`,
's7879f832b2a73274': `絵か映像を選ぶ`,
's8041f53d7dfb76b2': `おみやげを育てる`,
'sa73e374cbc26502c': `いまは育てられません`,
'sa8a792da660d0386': `リンクの中の種から、あなたのブラウザで細胞がひとつずつ育ちます。`,
'sc2e72217f01968fd': str`毎秒${0}拍`,
'sc60adfd1ffc74f3e': `このブラウザーは WebGL2 に対応していないため、部屋を表示できません。別のブラウザーか端末をお試しください。`,
'sc7f1beea639774c7': `接続中`,
'sc85f4dd5dc1537a6': str`${0}人がいます`,
'scd1dd6ff53d0d01a': `もういちど`,
'sd520de695c80a0bf': `別の庭から`,
'sd99f82acbe5a90d8': str`ほかに${0}つの出来事がありました。`,
'sddac88c3332a3667': `ただひとつのもの`,
'se2f63fcf854bf554': str`${0} 細胞`,
'se80e667e86d1bc4d': `空のシャーレ`,
'sea2ae67c61dea9aa': `再接続中`,
'sedb014886c00c32f': str`${0} 細胞`,
'sefcf950b3cc4fc3b': `言語`,
'sf258fb79865d5ffc': str`${0}人がいます`,
'sfef7fb686039baeb': `持ち帰った絵か映像を選ぶか、リンクを開いてください。`,
    };
  