
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's0310d39d85a9997c': `vågent`,
's08f11a02b2fb6870': `Denne side kan ikke få dette væsen til at gro. Åbn linket på dets minde.`,
's113268220ddf9769': `Et barn af to`,
's13f466dc1200537b': str`Og der skete ${0} ting til.`,
's1589ceab6b18fc8b': `Lad det gro igen`,
's19e076f6b42fb46d': `Denne browser kan ikke vise rummet: den mangler WebGL2. Prøv med en anden browser eller enhed.`,
's1fe37a2a99ccc569': `Det gror celle for celle i din egen browser, fra frøet i linket.`,
's2132fcfde8c87c9e': `Gartneren`,
's24f15eba1c59a844': str`${0}, så ${1}`,
's25c392d3f36e4b1d': `heler`,
's2ad3d8db86801111': `Et frø`,
's318c3d6adb506992': `Det kan ikke gro lige nu`,
's32a6858a3ed4ec44': str`${0} gammelt`,
's32f82ebb02b028d7': `Plant det, når du er tilbage`,
's32fcddc5a9538001': `En del af det mangler. Scan koden igen, eller vælg dit billede eller din film.`,
's3600f777e8710f6f': `plantet af gartneren`,
's3fdc6453866ec7c0': `Rummet er fuldt. Du er den næste.`,
's43b93cb842655fdb': `lige plantet`,
's46c862560a43c96e': str`Rummet er fuldt. ${0} gæster venter før dig.`,
's4c2251760c5d2c55': str`og ${0} til`,
's54eeade65b83e82b': `Linket er ufuldstændigt`,
's5f07539cdc8871c9': `Fra et andet Vivarium`,
's628f9d3415e052a8': `Huset`,
's66a916cde1017912': str`plantet af ${0}`,
's6b5808729ba28a3f': `navnløs`,
's704683c5958e9c5f': `plantet af huset`,
's7814bf80cd3885d3': `plantet af dig`,
's7879f832b2a73274': `Vælg et billede eller en film`,
's8041f53d7dfb76b2': `Lad et minde gro`,
's82147cb907e3d959': str`Rummet er fuldt. ${0} gæst venter før dig.`,
's822a12f086a7d91a': str`${0} sår helet`,
's8c68bc0a1a65d461': `Et barn af tilfældet`,
's8e37a9023906283f': `og ét til`,
's9516ff545e1695cb': `ét sår helet`,
's9583a773fa4f8515': `Vælg billedet eller filmen, som du tog med hjem, eller åbn linket.`,
's97bbc8698f704ac9': `hviler, såret`,
'sa5bc226742558d67': `dødt`,
'sb5617c19799ea15c': `dig`,
'sb7ce768919359466': `vokser`,
'sba52dbfb8d3a60d7': `aldrig såret`,
'sc7f1beea639774c7': `forbinder`,
'sc85f4dd5dc1537a6': str`${0} personer her`,
'scd1dd6ff53d0d01a': `Prøv igen`,
'sd8daaec3c20a386d': `plantet af en gæst`,
'sd99f82acbe5a90d8': str`Og der skete ${0} ting til.`,
'sddac88c3332a3667': `Det eneste af sin slags`,
'se244b12de4bc253b': `er på vej væk`,
'se2f63fcf854bf554': str`${0} celler`,
'se3258f292fd15dc1': `hviler`,
'se80e667e86d1bc4d': `En tom skål`,
'se9f1e4a7423d6a55': `Dets celler kunne ikke hentes. Prøv igen om lidt.`,
'sea2ae67c61dea9aa': `forbinder igen`,
'seb5b5f92b4d7505d': `Der er intet frø i filen. Nogle apps fjerner det: vælg den fil, du gemte.`,
'sedb014886c00c32f': str`${0} celle`,
'sefcf950b3cc4fc3b': `Sprog`,
'sf258fb79865d5ffc': str`${0} person her`,
    };
  