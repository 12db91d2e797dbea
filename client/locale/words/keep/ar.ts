
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's13f466dc1200537b': str`ولم يحدث غير ذلك.|وحدث أمر آخر.|وحدث أمران آخران.|وحدثت ${0} أمور أخرى.|وحدث ${0} أمرًا آخر.|وحدث ${0} أمر آخر.`,
's1576938493e66a7d': `Part of it is missing. Scan the code again, or choose your picture or film.`,
's1589ceab6b18fc8b': `Grow it again`,
's21f0b3497fb00180': str`الغرفة ممتلئة. ${0} زائر ينتظر قبلك.`,
's281214cb0c67fd6b': str`بطيء: ${0} من ${1}`,
's2ad3d8db86801111': `A seed`,
's32f82ebb02b028d7': `Plant it when you are back`,
's3ba3662d0e4b6601': `الغرفة ممتلئة، دورك التالي`,
's3fdc6453866ec7c0': `الغرفة ممتلئة. دورك التالي.`,
's4113b2f6c090f181': `What it grows from could not be loaded. Try again in a moment.`,
's475adfa48074d28e': `This file carries no seed. Some apps remove it: choose the file as you saved it.`,
's545db0b26b3d1a64': str`الغرفة ممتلئة. دورك التالي.|الغرفة ممتلئة. زائر واحد ينتظر قبلك.|الغرفة ممتلئة. زائران ينتظران قبلك.|الغرفة ممتلئة. ${0} زوار ينتظرون قبلك.|الغرفة ممتلئة. ${0} زائرًا ينتظرون قبلك.|الغرفة ممتلئة. ${0} زائر ينتظرون قبلك.`,
's5aa875c0cc9af8b0': `This page does not know the cells of this creature. Open the link on its keepsake.`,
's6b5808729ba28a3f': `بلا اسم`,
's7879f832b2a73274': `Choose a picture or film`,
's8041f53d7dfb76b2': `Grow a keepsake`,
's86c9619ea79db385': str`الغرفة ممتلئة، قبلك ${0}`,
'sa73e374cbc26502c': `It cannot grow just now`,
'sa8a792da660d0386': `It grows cell by cell in your own browser, from the seed in its link.`,
'sae67d8de192d8dab': `This link is not whole`,
'sc2e72217f01968fd': str`${0} خطوة/ث`,
'sc60adfd1ffc74f3e': `This browser cannot draw the room: it has no WebGL2. Please try another browser or device.`,
'sc7f1beea639774c7': `جارٍ الاتصال`,
'sc85f4dd5dc1537a6': str`لا أحد هنا|شخص واحد هنا|شخصان هنا|${0} أشخاص هنا|${0} شخصًا هنا|${0} شخص هنا`,
'scd1dd6ff53d0d01a': `Try again`,
'sd520de695c80a0bf': `From another garden`,
'sd99f82acbe5a90d8': str`وحدث ${0} أمر آخر.`,
'sddac88c3332a3667': `فريد من نوعه`,
'se2f63fcf854bf554': str`لا خلايا|خلية واحدة|خليتان|${0} خلايا|${0} خلية|${0} خلية`,
'se80e667e86d1bc4d': `An empty dish`,
'sea2ae67c61dea9aa': `جارٍ الاتصال مجددًا`,
'sedb014886c00c32f': str`${0} خلية`,
'sefcf950b3cc4fc3b': `اللغة`,
'sf258fb79865d5ffc': str`${0} شخص هنا`,
'sfef7fb686039baeb': `Choose the picture or film that you took home, or open its link.`,
    };
  